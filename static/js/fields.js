// Replaces the parameter fields of the form when another report type is chosen, and keeps a named period and explicit
// days exclusive.

function swapFields(place) {
  const chooser = place.closest("form").elements[place.dataset.chosenBy];
  let requested = 0;
  chooser.addEventListener("change", async () => {
    const number = ++requested;
    const url = new URL(place.dataset.fields, location.href);
    url.searchParams.set("ask", chooser.value);
    // If the request fails, the old fields stay: the server detects the other type when the form is sent.
    const response = await fetch(url, { headers: { Accept: "text/html" } }).catch(() => null);
    const markup = response?.ok && (await response.text());
    if (markup && number === requested) replaceFields(place, markup);
  });
}

// Keeps the focus in the fields if it was there: else a keyboard user continues at the top of the page.
function replaceFields(place, markup) {
  const focused = place.contains(document.activeElement) && document.activeElement;
  place.innerHTML = markup;
  if (!focused) return;
  const same = (focused.id && document.getElementById(focused.id)) || place.querySelector(focused.localName);
  (same || place.querySelector("summary")).focus();
}

// A typed day clears the named period, and a named period clears the days.
function keepExclusive(event) {
  const period = event.target.closest("[data-period]");
  if (!period) return;
  const preset = period.querySelector("select");
  const days = [...period.querySelectorAll("input")];
  if (event.target !== preset) {
    if (event.target.value) preset.value = "";
  } else if (preset.value) {
    for (const day of days) day.value = "";
  }
}

document.querySelectorAll("[data-fields]").forEach(swapFields);
document.addEventListener("change", keepExclusive);
