// Run by scripts/browser-test inside a report page: judges the page as a browser shows it, and writes a line for each
// check, "ok …" or "FAILED …", into an element that --dump-dom prints.
"use strict";
const lines = [];
const check = (holds, text) => lines.push((holds ? "ok " : "FAILED ") + text);
addEventListener("error", (event) => check(false, "script error: " + (event.message || event.target.outerHTML)), true);
addEventListener("unhandledrejection", (event) => check(false, "unhandled rejection: " + event.reason));

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** WCAG 2 contrast of two computed colours such as "rgb(1, 2, 3)". */
function contrast(one, other) {
  const luminance = (colour) => {
    const parts = colour.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function checkChart(figure, background) {
  const [svg, name] = [figure.querySelector("svg"), figure.querySelector("figcaption").textContent];
  const marks = [...svg.querySelectorAll("polyline.line, circle, rect")];
  const boxes = marks.map((mark) => mark.getBBox());
  const size = svg.viewBox.baseVal;
  const isInside = (box) => box.x >= -1 && box.y >= -1 && box.x + box.width <= size.width + 1
    && box.y + box.height <= size.height + 1;
  check(svg.getBoundingClientRect().width > 200, `${name}: is shown`);
  check(marks.length > 0 && boxes.every(isInside), `${name}: ${marks.length} marks, all within the drawing`);
  check(!/NaN|undefined|inf\b/.test(svg.outerHTML), `${name}: all coordinates are numbers`);
  const labels = [...svg.querySelectorAll("text.label")].map((label) => label.textContent);
  check(labels.length === 2 && labels.every(Boolean), `${name}: axes are labelled (${labels.join("; ")})`);
  check(svg.querySelectorAll("text.tick").length > 1, `${name}: axes are marked`);
  check(figure.querySelectorAll(".legend li").length > 0 && svg.getAttribute("aria-label"), `${name}: has a legend`);
  const faint = [...svg.querySelectorAll("text")].filter((text) => contrast(getComputedStyle(text).fill, background) < 4.5);
  check(faint.length === 0, `${name}: text can be read on its ground`);
  const out = [...svg.querySelectorAll("text:not(.label)")].filter((text) => !isInside(text.getBBox()));
  check(out.length === 0, `${name}: text lies within the drawing` + out.map((text) => ` (${text.textContent})`));
}

async function checkReplay(root) {
  const [name, output] = [root.querySelector("h3").textContent, root.querySelector("output")];
  const [select, slider] = [root.querySelector("select"), root.querySelector("input")];
  const button = (what) => root.querySelector(`[data-do=${what}]`);
  check(!root.querySelector(".controls").hidden, `${name}: controls are shown`);
  for (let index = 0; index < select.options.length; index++) {
    const who = `${name}, ${select.options[index].text}`;
    select.value = index;
    select.dispatchEvent(new Event("change"));
    const first = output.textContent;
    const stage = () => root.querySelector(".stage").innerHTML;
    const before = stage();
    check(first && slider.value === "0" && before, `${who}: begins (${first})`);
    button("forward").click();
    check(output.textContent !== first && stage() !== before && slider.value === "1", `${who}: steps forward`);
    button("back").click();
    check(output.textContent === first && stage() === before, `${who}: and back to the same`);
    button("play").click();
    check(button("play").textContent === "Pause", `${who}: can be paused while it plays`);
    await wait(2000);
    const played = Number(slider.value);
    check(played >= 2 && output.textContent !== first, `${who}: advances while it plays (to ${played})`);
    button("play").click();
    const paused = Number(slider.value);
    await wait(2000);
    check(Number(slider.value) === paused && button("play").textContent === "Play", `${who}: stands while it is paused`);
    slider.value = slider.max;
    slider.dispatchEvent(new Event("input"));
    const last = output.textContent;
    // Pictures in base64 may spell anything.
    const shown = last + stage().replace(/data:[^"&)]*/g, "");
    check(last !== first && !/NaN|undefined/.test(shown), `${who}: ends (${last})`);
    button("play").click();
    check(slider.value === "0", `${who}: plays again from the start`);
    await wait(60000);
    check(output.textContent === last && button("play").textContent === "Play", `${who}: and plays to its end`);
    if (!button("episode").hidden) {
      slider.value = 0;
      slider.dispatchEvent(new Event("input"));
      button("episode").click();
      check(/episode 2/.test(output.textContent), `${who}: leaps to the next episode`);
    }
  }
  const named = [...root.querySelectorAll("button, select, input")].every((control) =>
    control.textContent.trim() || control.getAttribute("aria-label"));
  check(named && root.querySelectorAll("button").length === 4, `${name}: controls have names`);
  button("play").focus();
  check(document.activeElement === button("play"), `${name}: controls take the keyboard`);
}

addEventListener("load", async () => {
  const wanted = new URLSearchParams(location.search);
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  check(isDark === (wanted.get("scheme") === "dark"), `the page is ${isDark ? "dark" : "light"}`);
  const background = getComputedStyle(document.body).backgroundColor;
  check(contrast(getComputedStyle(document.body).color, background) > 7, "text can be read");
  const charts = [...document.querySelectorAll("figure.chart")];
  check(charts.length >= Number(wanted.get("charts")), `${charts.length} charts`);
  for (const chart of charts) checkChart(chart, background);
  const replays = [...document.querySelectorAll(".replay")];
  check(replays.length === Number(wanted.get("replays")), `${replays.length} replays`);
  for (const replay of replays) await checkReplay(replay);
  const addresses = [...document.querySelectorAll("[src], [href]")]
    .map((one) => one.getAttribute("src") ?? one.getAttribute("href"));
  const foreign = [...addresses, ...performance.getEntriesByType("resource").map((entry) => entry.name)]
    .filter((name) => !/^(data:|#)/.test(name) && !/browser-test\.js$/.test(name));
  check(foreign.length === 0, `the page needs no other file ${foreign.map((name) => name.slice(0, 80))}`);
  check(document.documentElement.scrollWidth <= innerWidth, "the page is no wider than its window");
  const result = document.createElement("pre");
  result.id = "browser-test";
  result.textContent = ["", ...lines, "done", ""].join("\n");
  document.body.replaceChildren(result);
});
