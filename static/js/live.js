// Keeps the list current: fetches its markup every two seconds and replaces only the cards that have changed.

const REFRESH_MS = 2000;

function cards(root) {
  return new Map([...root.querySelectorAll(".card[id]")].map((card) => [card.id, card]));
}

// Announces ended reports to screen readers; progress is not announced.
function announce(before, after) {
  const ended = [...after.values()].filter((card) => {
    const old = before.get(card.id);
    const status = card.dataset.status;
    return old && old.dataset.status !== status && (status === "completed" || status === "failed");
  });
  const place = document.querySelector("[data-announce]");
  if (place && ended.length) {
    place.textContent = ended
      .map((card) => `${card.querySelector("h1, h3").textContent}: ${card.dataset.status}`)
      .join(". ");
  }
}

// Returns a function that finds the focused control in new markup: a link or button by its address, other controls by
// their position.
function finder(place) {
  const others = "summary, .scroll";
  const control = place.contains(document.activeElement) && document.activeElement.closest(`a, button, ${others}`);
  if (!control) return () => null;
  if (control.matches(others)) {
    const number = [...place.querySelectorAll(others)].indexOf(control);
    return (fresh) => fresh.querySelectorAll(others)[number];
  }
  const name = control.matches("a") ? (control.rel ? "rel" : "href") : "formaction";
  return (fresh) => fresh.querySelector(`[${name}="${CSS.escape(control.getAttribute(name))}"]`);
}

// Details that the user has opened stay open.
function keepOpen(old, card) {
  const opened = [...old.querySelectorAll("details")];
  card.querySelectorAll("details").forEach((details, place) => {
    details.open = opened[place]?.open ?? details.open;
  });
}

function update(live, markup) {
  const fresh = document.createElement("div");
  fresh.innerHTML = markup;
  const before = cards(live);
  const after = cards(fresh);
  announce(before, after);
  const same = before.size === after.size && [...after.keys()].every((id) => before.has(id));
  if (!same || !before.size) {
    const find = finder(live);
    live.replaceChildren(...fresh.childNodes);
    find(live)?.focus();
    return;
  }
  for (const [id, card] of after) {
    const old = before.get(id);
    keepOpen(old, card);
    if (old.outerHTML === card.outerHTML) continue;
    const hadFocus = old.contains(document.activeElement);
    const find = finder(old);
    old.replaceWith(card);
    if (hadFocus) (find(card) ?? card.querySelector("a"))?.focus();
  }
}

async function refresh(live) {
  if (document.hidden) return;
  const response = await fetch(live.dataset.live, { headers: { Accept: "text/html" } });
  if (response.ok || response.status === 503) update(live, await response.text());
}

function keepCurrent(live) {
  const schedule = () => setTimeout(run, REFRESH_MS);
  // A failed refresh is ignored: the next one follows after the same time.
  const run = () => refresh(live).then(schedule, schedule);
  document.addEventListener("visibilitychange", () => refresh(live).catch(() => undefined));
  schedule();
}

document.querySelectorAll("[data-live]").forEach(keepCurrent);
