"""The one loop that starts, watches, restarts and stops; it alone changes what is known of an instance."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from apphost.logs.console import Console
from apphost.logs.console_log import ConsoleLog, SecretMask
from apphost.logs.events import EventLog, has_finished
from apphost.model.resources import Kind, Resource
from apphost.processes.child_process import ChildProcess
from apphost.processes.leftovers import StartedProcess
from apphost.processes.ports import find_free

from .health import Health, Prober
from .instance import LAST_LINES, Instance, Launch, stop_order
from .liveness import LivenessProber
from .messages import Asked, HealthFound, Line, LivenessFound, Message, StopAsked
from .restart_policy import RestartRecord
from .snapshots import Action, Snapshot, State

TICK_SECONDS = 0.05
MOST_LINES_AT_ONCE = 2000
UNWELL_SECONDS = 3.0


class Supervisor:
    """Runs the instances of an app model until it is asked to stop."""

    def __init__(
        self,
        instances: Iterable[Instance],
        launches: Mapping[str, Launch],
        *,
        mask: SecretMask,
        console: Console,
        remember: Callable[[list[StartedProcess]], None],
    ) -> None:
        self.events = EventLog()
        self.snapshots: tuple[Snapshot, ...] = ()
        self._instances = {instance.name: instance for instance in instances}
        self._launches = launches
        self._mask = mask
        self._console = console
        self._remember = remember
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        # Lines have a queue of their own, and a full one holds back who writes: no child can fill the
        # memory, or keep a command waiting behind its lines.
        self._lines: queue.Queue[Line] = queue.Queue(MOST_LINES_AT_ONCE)
        self._is_stop_asked = False
        self._stopping: Iterator[list[Instance]] | None = None
        self._stopping_now: list[Instance] = []
        self._begun_at = time.monotonic()
        self._was_ready = False
        self._take_snapshots()

    # -- for other threads and signal handlers

    def ask(self, name: str, action: Action) -> None:
        """Have an action done soon."""
        self._messages.put(Asked(name, action))

    def ask_to_stop(self) -> None:
        """End everything in order; asked again, kill it at once, without waiting for the loop."""
        if self._is_stop_asked:
            self._kill_everything()
        self._is_stop_asked = True
        self._messages.put(StopAsked())

    def find_log(self, name: str) -> ConsoleLog | None:
        """The console of an instance; None if there is none of this name."""
        instance = self._instances.get(name)
        return instance.log if instance else None

    # -- the loop

    def run(self) -> None:
        """Supervise until everything has stopped."""
        try:
            while not self._has_stopped():
                self._take_messages()
                self._take_lines()
                now = time.monotonic()
                for instance in self._instances.values():
                    self._reap(instance, now)
                    self._start_if_due(instance, now)
                    self._kill_if_late(instance, now)
                self._advance_stopping()
                self._take_snapshots()
                self._tell_if_ready()
        finally:
            self._kill_everything()

    def _take_messages(self) -> None:
        try:
            self._handle(self._messages.get(timeout=TICK_SECONDS))
            while True:
                self._handle(self._messages.get_nowait())
        except queue.Empty:
            return

    def _handle(self, message: Message) -> None:
        match message:
            case HealthFound(name, prober, health):
                instance = self._instances[name]
                if instance.prober is prober:
                    instance.health = health
                    self._tell_health(instance, time.monotonic())
                    if health.is_healthy:
                        self._tell_notice(instance, health.notice)
            case LivenessFound(name, prober, problem, is_dead):
                instance = self._instances[name]
                if instance.liveness is prober:
                    instance.liveness_problem = problem
                    if is_dead:
                        self._kill_dead(instance)
            case Asked(name, action):
                self._do(self._instances[name], action)
            case StopAsked():
                self._begin_stopping()

    def _take_lines(self) -> None:
        for _ in range(self._lines.qsize()):
            line = self._lines.get_nowait()
            self._take_line(self._instances[line.name], line.text)

    def _take_line(self, instance: Instance, text: str) -> None:
        shown, now = self._mask(text), datetime.now(UTC)
        instance.log.add(shown, now)
        instance.has_finished = instance.has_finished or has_finished(text)
        self.events.add_line(instance.name, shown, now)
        if (
            instance.resource.kind is not Kind.REDIS
        ):  # its start alone is twenty lines; the dashboard has them
            self._console.show_line(instance.name, shown)

    # -- one instance

    def _start_if_due(self, instance: Instance, now: float) -> None:
        is_due = instance.is_wanted and instance.process is None and now >= instance.start_at
        if not is_due or self._stopping is not None:
            return
        if instance.resource.is_external:
            if instance.state is not State.RUNNING:
                instance.state = State.RUNNING
                self._start_probing(instance)
            return
        instance.waiting_for = tuple(self._unready_dependencies(instance.resource))
        if instance.waiting_for:
            instance.state = State.WAITING
        else:
            self._start(instance, now)

    def _unready_dependencies(self, resource: Resource) -> Iterator[str]:
        for other in self._instances.values():
            if other.resource.name in resource.waits and not other.is_ready:
                yield other.name

    def _start(self, instance: Instance, now: float) -> None:
        launch, name = self._launches[instance.name], instance.name
        instance.exit_code, instance.has_finished, instance.liveness_problem = None, False, ""
        env, probe_port = dict(launch.env), launch.port
        if instance.resource.liveness and instance.resource.liveness.env:
            # Another one at each start: who has taken it meanwhile would keep the process from starting.
            probe_port = find_free()
            env[instance.resource.liveness.env] = str(probe_port)
        try:
            instance.process = ChildProcess(
                name,
                launch.command,
                working_dir=instance.resource.working_dir,
                env=env,
                on_line=lambda text: self._lines.put(Line(name, text)),
            )
        except OSError as error:
            # The program itself is missing in a process of its own; here the folder is, or memory.
            self._take_line(instance, f"cannot start in {instance.resource.working_dir}: {error.strerror}")
            self._note_death(instance, 0, now)
            return
        instance.state, instance.kill_at = State.RUNNING, None
        instance.started_at = datetime.now(UTC)
        self._start_probing(instance)
        self._start_liveness(instance, probe_port)
        self._remember_processes()

    def _start_probing(self, instance: Instance) -> None:
        make_probe = self._launches[instance.name].make_probe
        instance.health = None
        if make_probe is None:
            return

        def tell(prober: Prober, health: Health) -> None:
            self._messages.put(HealthFound(instance.name, prober, health))

        instance.prober = Prober(make_probe, tell)

    def _start_liveness(self, instance: Instance, port: int | None) -> None:
        if instance.resource.liveness is None or port is None:
            return

        def tell(prober: LivenessProber, problem: str, is_dead: bool) -> None:
            self._messages.put(LivenessFound(instance.name, prober, problem, is_dead))

        instance.liveness = LivenessProber(port, instance.resource.liveness, tell)

    def _stop_liveness(self, instance: Instance) -> None:
        if instance.liveness is not None:
            instance.liveness.stop()
            instance.liveness = None

    def _kill_dead(self, instance: Instance) -> None:
        """End what does not live; as after any death, it is started again."""
        assert instance.resource.liveness is not None  # noqa: S101 - else nobody asked
        self._stop_liveness(instance)
        if instance.process is None:
            return
        count = instance.resource.liveness.failure_threshold
        text = (
            f"does not live, so it is killed: {count} times in a row {self._mask(instance.liveness_problem)}"
        )
        instance.log.add(f"apphost: {text}", datetime.now(UTC))
        self._console.say(f"{instance.name} {text}")
        instance.process.kill_session()

    def _stop_probing(self, instance: Instance) -> None:
        self._stop_liveness(instance)
        if instance.prober is not None:
            instance.prober.stop()
            instance.prober = None
        instance.health = None

    def _reap(self, instance: Instance, now: float) -> None:
        if instance.process is None or (code := instance.process.exit_code()) is None:
            return
        process, instance.process = instance.process, None
        self._take_lines()
        self._stop_probing(instance)
        self._remember_processes()
        instance.exit_code = code
        if instance.state is State.STOPPING:
            instance.state = State.EXITED if code else State.FINISHED
            instance.kill_at = None
            return
        if code == 0 and instance.has_finished and self._stopping is None:
            instance.is_wanted, instance.state = False, State.FINISHED
            self._console.say(f"{instance.name} has finished, and says so: it is not started again")
            return
        self._note_death(instance, process.ran_seconds, now)

    def _note_death(self, instance: Instance, ran_seconds: float, now: float) -> None:
        instance.state = State.EXITED
        if self._stopping is not None:
            return
        instance.deaths = instance.deaths.after_death(ran_seconds)
        if instance.deaths.has_given_up:
            self._give_up(instance)
            return
        instance.restarts += 1
        instance.start_at = now + instance.deaths.pause_seconds
        pause = f"{instance.deaths.pause_seconds:g} s"
        self._console.say(f"{instance.name} {_describe_end(instance)}; it is started again in {pause}")

    def _give_up(self, instance: Instance) -> None:
        instance.is_wanted, instance.state = False, State.FAILED_TO_START
        count = instance.deaths.deaths
        self._console.say(f"{instance.name} {_describe_end(instance)}, {count} times in a row: given up")
        for line in instance.log.read(limit=LAST_LINES):
            self._console.say(f"    {line.text}")

    def _do(self, instance: Instance, action: Action) -> None:
        if instance.resource.is_external or self._stopping is not None:
            return
        if action in (Action.STOP, Action.RESTART):
            self._stop(instance)
        instance.is_wanted = action is not Action.STOP
        if instance.is_wanted:
            instance.deaths, instance.start_at = RestartRecord(), 0.0

    def _stop(self, instance: Instance) -> None:
        instance.waiting_for = ()
        if instance.process is None:
            instance.state = State.FINISHED if instance.state is not State.NOT_STARTED else instance.state
        elif instance.state is not State.STOPPING:
            instance.state = State.STOPPING
            self._stop_liveness(instance)
            instance.kill_at = time.monotonic() + instance.resource.stop_seconds
            instance.process.terminate()

    def _kill_if_late(self, instance: Instance, now: float) -> None:
        if instance.process and instance.kill_at is not None and now >= instance.kill_at:
            instance.process.kill_session()

    # -- all of them

    def _begin_stopping(self) -> None:
        if self._stopping is not None:
            self._kill_everything()
            return
        self._console.say("Stopping")
        for instance in self._instances.values():
            instance.is_wanted = False
        self._stopping = iter(stop_order(self._instances.values()))

    def _advance_stopping(self) -> None:
        """Stop one resource after another, all replicas of one together."""
        if self._stopping is None or any(instance.process for instance in self._stopping_now):
            return
        self._stopping_now = next(self._stopping, [])
        for instance in self._stopping_now:
            self._stop(instance)

    def _has_stopped(self) -> bool:
        return self._stopping is not None and not any(one.process for one in self._instances.values())

    def _kill_everything(self) -> None:
        for instance in self._instances.values():
            if instance.process:
                instance.process.kill_session()

    def _remember_processes(self) -> None:
        processes = (instance.process for instance in self._instances.values() if instance.process)
        self._remember([started for process in processes if (started := process.remembered())])

    def _take_snapshots(self) -> None:
        self.snapshots = tuple(instance.take_snapshot(self._mask) for instance in self._instances.values())

    def _tell_health(self, instance: Instance, now: float) -> None:
        """Say once that something is not well for long, and that it is well again."""
        if instance.is_ready:
            if instance.is_told_unwell:
                self._console.say(f"{instance.name} is healthy again")
            instance.unwell_since, instance.is_told_unwell = None, False
        elif instance.health and not instance.is_told_unwell:
            instance.unwell_since = instance.unwell_since or now
            if now - instance.unwell_since >= UNWELL_SECONDS:
                self._console.say(f"{instance.name} is not healthy: {self._mask(instance.health.problem)}")
                instance.is_told_unwell = True

    def _tell_notice(self, instance: Instance, notice: str) -> None:
        """Say what the probe has to say to people, and that it has not any more; once each."""
        if notice != instance.notice:
            over = f"no longer: {instance.notice}"
            instance.notice = notice
            self._console.say(f"{instance.name}: {notice or over}")

    def _tell_if_ready(self) -> None:
        is_ready = all(instance.is_ready for instance in self._instances.values())
        if is_ready and not self._was_ready:
            self._console.say(f"All healthy after {time.monotonic() - self._begun_at:.1f} s")
            self._was_ready = True


def _describe_end(instance: Instance) -> str:
    code = instance.exit_code
    if code is None:
        return "could not be started"
    return f"ended with code {code}" if code >= 0 else f"was ended by signal {-code}"
