// Payloads unfold under their deliveries: the link leads to a page of its own, of which this takes the part
// that matters and puts it into the row below. A second click takes it away.

// A document asked for as one is parsed by the browser, and nothing in it runs.
function ask(url) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = "document";
    request.onload = () => {
      const part = request.status === 200 && request.response?.getElementById("payload");
      if (part) resolve(part);
      else reject(new Error(`answered ${request.status}`));
    };
    request.onerror = () => reject(new Error("no answer"));
    request.send();
  });
}

const rowOf = (link) => link.closest("tbody").querySelector("tr.payload");

function close(link) {
  const row = rowOf(link);
  row.hidden = true;
  row.replaceChildren();
  row.removeAttribute("data-keep");
  link.removeAttribute("data-keep");
  link.setAttribute("aria-expanded", "false");
}

// Both stay as they are while the page lives on: data-keep tells live.js so.
function fill(link, content) {
  const row = rowOf(link), cell = document.createElement("td");
  cell.colSpan = link.closest("tr").cells.length;
  cell.append(content);
  row.replaceChildren(cell);
  row.hidden = false;
  row.dataset.keep = link.dataset.keep = "";
  link.setAttribute("aria-expanded", "true");
  document.dispatchEvent(new CustomEvent("roomwatch:applied", { detail: { elements: [row] } }));
}

function failed(error) {
  const text = document.createElement("p");
  text.className = "none";
  text.textContent = `The payload could not be had: ${error.message}. Bodies are kept for some days only.`;
  return text;
}

async function toggle(link) {
  if (link.getAttribute("aria-expanded") === "true") return close(link);
  if (link.dataset.asked !== undefined) return;
  link.dataset.asked = "";
  try {
    const part = document.adoptNode(await ask(link.href));
    part.removeAttribute("id"); // more than one may be open
    if (link.isConnected) fill(link, part);
  } catch (error) {
    if (link.isConnected) fill(link, failed(error));
  } finally {
    delete link.dataset.asked;
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-payload]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button) return;
  event.preventDefault();
  toggle(link);
});
