// Shows within seconds what waits for a person: above the page, in the tab's title, on the board, and aloud.
// Without this file htmx asks every three seconds, and without any script the board loads itself anew.
"use strict";

const MAX_SILENCE_MS = 2_500; // without news from the stream for so long, the page asks by itself
const AWAY_AFTER_MS = 12_000;
const REOPEN_AFTER_MS = 30_000;
const WANTED = "rescue-sound";

const newsNow = () => document.getElementById("rescue-news");
const soundBox = document.getElementById("rescue-sound");
const ownTitle = document.title.replace(/^\(\d+\) /, "");

let heardAt = performance.now();
let isAsking = false;
let hasEnded = false;
let stream;

// The stream tells the version of the board every second; what is new is asked for.
function openStream() {
  if (!window.EventSource || hasEnded) return;
  stream = new EventSource("/console/rescues/changes");
  stream.onmessage = ({ data }) => {
    heardAt = performance.now();
    if (JSON.parse(data).version !== newsNow()?.dataset.version) ask();
  };
  // A browser opens by itself a stream that came to its end, and not one that was refused.
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(openStream, REOPEN_AFTER_MS);
  };
}

function ask() {
  const news = newsNow();
  if (!news || isAsking || hasEnded || !window.htmx) return;
  isAsking = true;
  window.htmx.trigger(news, "news");
}

setInterval(() => {
  const silence = performance.now() - heardAt;
  if (silence >= MAX_SILENCE_MS) ask();
  if (silence >= AWAY_AFTER_MS) warn(newsNow()?.dataset.away);
}, 500);

function warn(words) {
  const news = newsNow();
  if (!news || news.querySelector(".cut-off")) return;
  const line = document.createElement("p");
  line.className = "cut-off";
  line.setAttribute("role", "alert");
  line.textContent = words;
  news.classList.add("alarm");
  news.prepend(line);
}

const isOfNews = ({ detail }) => detail.requestConfig?.path.startsWith("/console/rescues/changes");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!isOfNews(event)) return;
  const isByClock = event.detail.requestConfig.triggeringEvent?.type !== "news";
  if (isByClock && performance.now() - heardAt < MAX_SILENCE_MS) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isOfNews(event) || event.detail.xhr.status !== 286) return;
  event.detail.shouldSwap = false;
  hasEnded = true;
  stream?.close();
  warn(newsNow().dataset.ended);
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (!isOfNews(event)) return;
  isAsking = false;
  if (!event.detail.successful) return;
  heardAt = performance.now();
  const line = !hasEnded && newsNow()?.querySelector(".cut-off");
  if (line) {
    line.remove();
    newsNow().classList.toggle("alarm", Number(newsNow().dataset.count) > 0);
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (isOfNews(event)) show();
});

function show() {
  const count = Number(newsNow()?.dataset.count);
  document.title = count ? `(${count}) ${ownTitle}` : ownTitle;
  sound();
  if (document.getElementById("board")) renewBoard();
}

// The board takes the place of the one before; what had the focus has it again.
async function renewBoard() {
  const answer = await fetch("/console/rescues?refresh=1", { redirect: "manual" }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("board");
  const board = document.getElementById("board");
  if (!fresh || !board) return;
  const focused = board.contains(document.activeElement) && document.activeElement;
  const place = focused && (focused.getAttribute("href") || focused.form?.getAttribute("action"));
  board.replaceChildren(...fresh.childNodes);
  newsNow()?.querySelector(".changed")?.remove();
  if (!place) return;
  const isSame = (each) => (each.getAttribute("href") || each.getAttribute("action")) === place;
  const same = [...board.querySelectorAll("a, form")].find(isSame);
  (same?.querySelector("button") ?? same)?.focus();
}

// The sound: two tones in turn, made here, while anything waits for a person.
let audio, level;

const isWanted = () => {
  try { return localStorage.getItem(WANTED) === "on"; } catch { return false; }
};

function want(isOn) {
  try { localStorage.setItem(WANTED, isOn ? "on" : "off"); } catch { /* it lasts for this page */ }
}

// Resolves once the browser lets it be heard, which may be never.
async function startAudio() {
  audio ??= new AudioContext();
  audio.onstatechange = sound;
  await audio.resume();
  if (!level) makeTones();
  sound();
}

function makeTones() {
  level = new GainNode(audio, { gain: 0 });
  const tone = new OscillatorNode(audio, { type: "square", frequency: 760 });
  const turn = new OscillatorNode(audio, { type: "square", frequency: 1 });
  const swing = new GainNode(audio, { gain: 180 });
  turn.connect(swing).connect(tone.frequency);
  tone.connect(level).connect(audio.destination);
  tone.start();
  turn.start();
}

function sound() {
  if (!soundBox) return;
  const count = Number(newsNow()?.dataset.count);
  const isRunning = audio?.state === "running";
  const state = !isWanted() ? "off" : !isRunning ? "blocked" : count ? "sounding" : "on";
  if (level) level.gain.value = state === "sounding" ? 0.15 : 0;
  if (soundBox.dataset.state === state) return;
  soundBox.dataset.state = state;
  soundBox.hidden = false;
  soundBox.querySelector("span").textContent = soundBox.dataset[state];
  const isOn = state === "on" || state === "sounding";
  soundBox.querySelector("button").textContent = isOn ? soundBox.dataset.turnOff : soundBox.dataset.turnOn;
}

function unlock() {
  if (isWanted() && audio?.state !== "running") startAudio();
}

if (soundBox && window.AudioContext) {
  soundBox.querySelector("button").addEventListener("click", () => {
    const isOn = soundBox.dataset.state === "on" || soundBox.dataset.state === "sounding";
    want(!isOn);
    if (!isOn) startAudio();
    sound();
  });
  // Whatever its user does lets a browser make sounds again after a page was left for another.
  for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, unlock);
  if (isWanted()) startAudio();
  sound();
}

openStream();
