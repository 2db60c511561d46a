// Refreshes the elements with data-live, and follows the console of a resource.

const REFRESH_MS = 1000;

async function refreshLive() {
  const places = [...document.querySelectorAll("[data-live]")];
  if (!places.length) return;
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = [...page.querySelectorAll("[data-live]")];
  places.forEach((place, index) => {
    if (fresh[index] && place.innerHTML !== fresh[index].innerHTML) swap(place, fresh[index]);
  });
}

// Replaces the markup; focus, scroll positions and opened details stay.
function swap(place, fresh) {
  const controls = "a, button, summary, [tabindex]";
  const focused = [...place.querySelectorAll(controls)].indexOf(document.activeElement);
  const opened = [...place.querySelectorAll("details")].map((one) => one.open);
  const scrolled = [...place.querySelectorAll(".scroll")].map((one) => [one.scrollLeft, one.scrollTop]);
  place.replaceChildren(...document.importNode(fresh, true).childNodes);
  place.querySelectorAll("details").forEach((one, index) => { one.open = opened[index] ?? false; });
  place.querySelectorAll(".scroll").forEach((one, index) => {
    [one.scrollLeft, one.scrollTop] = scrolled[index] ?? [0, 0];
  });
  if (focused >= 0) place.querySelectorAll(controls)[focused]?.focus({ preventScroll: true });
}

async function followLog() {
  const log = document.querySelector("[data-log]");
  if (!log) return;
  const response = await fetch(`${log.dataset.log}?after=${log.dataset.last}`);
  if (!response.ok) return;
  const { lines, last } = await response.json();
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  for (const line of lines) log.append(lineElement(line));
  while (log.childElementCount > 5000) log.firstElementChild.remove();
  log.dataset.last = last;
  if (isAtEnd && lines.length) log.scrollTop = log.scrollHeight;
}

function lineElement(line) {
  const row = document.createElement("div");
  row.className = "line";
  const time = document.createElement("time");
  time.dateTime = line.time;
  time.textContent = line.time.slice(11, 19);
  const text = document.createElement("span");
  text.textContent = line.text;
  row.append(time, " ", text);
  return row;
}

function run() {
  const work = document.hidden ? Promise.resolve() : Promise.allSettled([refreshLive(), followLog()]);
  work.then(() => setTimeout(run, REFRESH_MS));
}

const log = document.querySelector("[data-log]");
if (log) log.scrollTop = log.scrollHeight;
run();
