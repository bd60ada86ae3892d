// What the pictures of a case can do beyond being looked at. Without this file all of them are there.
"use strict";

// Whatever speaks of the same thing lights up together: a payment's row, its arrow and its dot.
const about = (node) => (node.getAttribute("data-about") || "").split(" ").filter(Boolean);

function light(node, isOn) {
  const things = new Set(about(node));
  for (const other of document.querySelectorAll("[data-about]")) {
    const isSame = about(other).some((thing) => things.has(thing));
    other.classList.toggle("is-lit", isOn && isSame);
  }
}

for (const [event, isOn] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
  document.addEventListener(event, ({ target }) => {
    const node = target.closest && target.closest("[data-about]");
    if (node) light(node, isOn);
  });
}

// The library of the map is fetched where there is a map.
let leaflet;
function loadLeaflet() {
  leaflet ??= new Promise((resolve, reject) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = "/console/static/leaflet/leaflet.css";
    const script = document.createElement("script");
    script.src = "/console/static/leaflet/leaflet.js";
    let left = 2;
    style.onload = script.onload = () => { if (--left === 0) resolve(window.L); };
    style.onerror = script.onerror = reject;
    document.head.append(style, script);
  });
  return leaflet;
}

const spot = (text) => text.split(",").map(Number).reverse();

function drawMap(box, L) {
  const still = box.querySelector("svg");
  const lines = [...still.querySelectorAll("[data-line]")];
  const dots = [...still.querySelectorAll("[data-spot]")];
  const placesOf = (line) => line.dataset.line.trim().split(" ").map(spot);
  box.classList.add("is-live");
  box.dir = "ltr";
  box.setAttribute("role", "application");
  box.setAttribute("aria-label", box.dataset.label);
  const map = L.map(box, { minZoom: 1, maxZoom: 11, scrollWheelZoom: false, attributionControl: false });
  map.fitBounds(L.latLngBounds([...lines.flatMap(placesOf), ...dots.map((dot) => spot(dot.dataset.spot))]), { padding: [40, 40], maxZoom: 9, animate: false });
  new (tileLayer(L))({ maxNativeZoom: 9 }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  const add = (layer, from) => {
    layer.addTo(map);
    layer.getElement().setAttribute("data-about", from.dataset.about || "");
    const words = from.querySelector("title");
    if (words) layer.bindTooltip(escaped(words.textContent), { sticky: true });
  };
  for (const from of lines) add(L.polyline(placesOf(from), { className: from.getAttribute("class") }), from);
  const names = [];
  for (const from of dots) {
    const isStop = "name" in from.dataset;
    add(L.circleMarker(spot(from.dataset.spot), { className: from.getAttribute("class"), radius: isStop ? 6 : 3.5 }), from);
    if (!isStop) continue;
    const isRight = map.latLngToContainerPoint(spot(from.dataset.spot)).x > map.getSize().x * 0.55;
    const side = isRight ? { direction: "left", offset: [-8, 0] } : { direction: "right", offset: [8, 0] };
    names.push(L.tooltip(spot(from.dataset.spot), { content: escaped(from.dataset.name), permanent: true, className: "place-name", ...side }).addTo(map));
  }
  // Of names that would lie over each other, the first is shown.
  const placeNames = () => {
    const shown = [];
    for (const name of names) {
      const node = name.getElement();
      const box = node.getBoundingClientRect();
      const isFree = shown.every((other) => box.right < other.left || other.right < box.left || box.bottom < other.top || other.bottom < box.top);
      node.classList.toggle("is-hidden", !isFree);
      if (isFree) shown.push(box);
    }
  };
  map.on("zoomend resize", placeNames);
  placeNames();
  // The wheel scrolls the page until the map has the focus.
  map.on("focus", () => map.scrollWheelZoom.enable());
  map.on("blur", () => map.scrollWheelZoom.disable());
}

// Not the library's layer of images: that stops them by a data: address, which our policy refuses.
const tileLayer = (L) => L.GridLayer.extend({
  createTile({ x, y, z }, done) {
    const image = document.createElement("img");
    image.alt = "";
    image.onload = () => done(null, image);
    image.onerror = () => done(new Error("no tile"), image);
    image.src = `/console/map/${z}/${x}/${y}.svg`;
    return image;
  },
});

const escaped = (text) => {
  const node = document.createElement("i");
  node.textContent = text;
  return node.innerHTML;
};

function drawMaps(within) {
  for (const box of within.querySelectorAll("[data-map]:not(.is-live)")) {
    if (!box.checkVisibility()) continue; // folded: drawn when it is unfolded
    loadLeaflet().then((L) => box.classList.contains("is-live") || drawMap(box, L)).catch(() => box.classList.remove("is-live"));
  }
}

drawMaps(document);
document.addEventListener("htmx:load", ({ target }) => drawMaps(target));
document.addEventListener("toggle", ({ target }) => drawMaps(target), true);

// A case of the link graph opens its own links in place; without htmx, or to a new tab, as a page.
document.addEventListener("click", (event) => {
  const link = event.target.closest && event.target.closest("a[data-opens]");
  const shown = link && link.closest("#case-links");
  if (!shown || !window.htmx || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const address = link.getAttribute("href");
  window.htmx.ajax("GET", address, { target: shown, swap: "outerHTML" }).then(() => {
    if (document.activeElement !== document.body) return; // somebody went on elsewhere
    const again = document.querySelector(`#case-links a[href="${address}"]`) || document.querySelector("#case-links .scroll");
    if (again) again.focus();
  });
});
