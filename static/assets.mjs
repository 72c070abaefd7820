// Copies what the browser needs out of node_modules and builds the icon sprite. Its output is committed;
// running it again changes nothing.
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";

const here = new URL("./", import.meta.url);
const modules = new URL("../node_modules/", here);
const at = (path) => new URL(path, here);
const from = (path) => new URL(path, modules);

const copies = {
  "idiomorph.min.js": "idiomorph/dist/idiomorph.min.js",
  "idiomorph.LICENSE.txt": "idiomorph/LICENSE",
  "inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  "inter.LICENSE.txt": "@fontsource-variable/inter/LICENSE",
  "lucide.LICENSE.txt": "lucide-static/LICENSE",
};

// Our name of an icon, and lucide's.
const icons = {
  agent: "bot", arrow: "corner-down-right", auto: "sun-moon", bell: "bell", camera: "video", captions: "captions", chart: "chart-column",
  chat: "message-square-text", clear: "x", clock: "clock", coins: "coins", comfortable: "rows-2", compact: "rows-4", copy: "copy", download: "download",
  file: "file-text", keyboard: "keyboard", languages: "languages", mic: "mic", "mic-off": "mic-off", moon: "moon", pause: "pause", person: "user", phone: "phone", screen: "monitor-up",
  chevron: "chevron-right", down: "arrow-down", up: "arrow-up",
  search: "search", sound: "volume-2", speech: "audio-lines", sun: "sun", timer: "timer",
  overview: "house", sessions: "history", recordings: "film", artifacts: "package", intake: "inbox",
};

// Icons that the style sheet draws, in front of counts on small screens. A mask takes a file, not a symbol.
const masks = { people: "users", mic: "mic", camera: "video", screen: "monitor-up" };

const hash = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 10);

function drawing(name) {
  const svg = readFileSync(from(`lucide-static/icons/${name}.svg`), "utf8");
  const inner = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
  return inner.replace(/\s*\n\s*/g, "").replaceAll(" />", "/>");
}

const stroke = 'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"';

function sprite() {
  const states = readFileSync(at("icons/states.svg"), "utf8").match(/<symbol.*<\/symbol>/g);
  const drawn = Object.entries(icons).map(([id, name]) => `<symbol id="${id}" viewBox="0 0 24 24" ${stroke}>${drawing(name)}</symbol>`);
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${[...states, ...drawn].join("\n")}\n</svg>\n`;
}

for (const [name, source] of Object.entries(copies)) copyFileSync(from(source), at(name));
writeFileSync(at("icons.svg"), sprite());

// The style sheet names its files with their hashes, as the pages do, so that all may be cached for ever. They lie
// beside it, wherever Roomwatch is served.
const url = (name) => `${name}?v=${hash(readFileSync(at(name)))}`;
const variables = Object.entries(masks).map(([id, name]) => {
  const file = `mask-${id}.svg`;
  writeFileSync(at(file), `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24" ${stroke.replace("currentColor", "#000")}>${drawing(name)}</svg>\n`);
  return `  --mask-${id}: url("${url(file)}");`;
});
const css = `/* Written by assets.mjs: do not edit. */
@font-face {
  font-family: "Inter";
  font-style: normal;
  font-weight: 100 900;
  font-display: swap;
  src: url("${url("inter.woff2")}") format("woff2");
}
@layer base {
  :root {
${variables.map((v) => "  " + v).join("\n")}
  }
}
`;
writeFileSync(at("css/assets.css"), css);
