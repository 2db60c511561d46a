// Swaps the fields of the form when another type is chosen, and keeps a period's name and its days apart.

function swapFields(place) {
  const chooser = place.closest("form").elements[place.dataset.chosenBy];
  let asked = 0;
  chooser.addEventListener("change", async () => {
    const number = ++asked;
    const url = new URL(place.dataset.fields, location.href);
    url.searchParams.set("ask", chooser.value);
    // Where the server does not answer, the old fields stay, and it notices when the form is sent.
    const answer = await fetch(url, { headers: { Accept: "text/html" } }).catch(() => null);
    const markup = answer?.ok && (await answer.text());
    if (markup && number === asked) replaceFields(place, markup);
  });
}

// Whoever has gone on to the old fields stays at the same place: else a keyboard begins at the top of the page.
function replaceFields(place, markup) {
  const left = place.contains(document.activeElement) && document.activeElement;
  place.innerHTML = markup;
  if (!left) return;
  const same = (left.id && document.getElementById(left.id)) || place.querySelector(left.localName);
  (same || place.querySelector("summary")).focus();
}

// Days that are typed mean that no name is meant, and a name that none of the days are.
function keepApart(event) {
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
document.addEventListener("change", keepApart);
