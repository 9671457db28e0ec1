"use strict";
// Hover and zoom on top of charts that are whole without it: values come from the CSV links.
(() => {
  const charts = [...document.querySelectorAll("figure.chart")];
  if (!charts.length) return;
  const { since, until, bin } = charts[0].dataset;
  const [first, last, width] = [since, until, bin].map(Number);
  const offset = Number(document.querySelector("main").dataset.offset);
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
    86400, 172800, 604800];
  let view = [0, 1];
  const two = (number) => String(number).padStart(2, "0");
  const clock = (seconds, step) => {
    const at = new Date((seconds + offset) * 1000);
    const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
    return step < 60 ? `${time}:${two(at.getUTCSeconds())}` : time;
  };
  const rows = (figure) => {
    const text = decodeURIComponent(figure.querySelector(".csv").href.split(",").slice(1).join(","));
    return text.trim().split("\n").slice(1).map((line) => line.split(","));
  };
  const add = (parent, name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return parent.appendChild(element);
  };
  const reset = document.createElement("button");
  reset.className = "reset";
  reset.textContent = "Show the whole time";
  reset.hidden = true;
  document.body.append(reset);

  const show = (low, high) => {
    view = [low, high];
    reset.hidden = low === 0 && high === 1;
    const span = (high - low) * (last - first);
    const step = steps.find((one) => one >= span / 8) || steps[steps.length - 1];
    for (const figure of charts) {
      const plot = figure.querySelector("svg.plot");
      const marks = plot.querySelector("svg.marks");
      const box = marks.getAttribute("viewBox").split(" ");
      marks.setAttribute("viewBox", `${low * 1000} 0 ${(high - low) * 1000} ${box[3]}`);
      plot.querySelectorAll(".zoomed").forEach((one) => one.remove());
      plot.querySelectorAll(".time").forEach((one) => { one.style.display = reset.hidden ? "" : "none"; });
      plot.querySelectorAll(".label").forEach((one) => {
        one.dataset.at ??= parseFloat(one.getAttribute("x")) / 100;
        const share = (one.dataset.at - low) / (high - low);
        one.setAttribute("x", `${share * 100}%`);
        one.style.display = share < 0 || share > 1 ? "none" : "";
      });
      if (reset.hidden) continue;
      const y = plot.querySelector(".time")?.getAttribute("y");
      const begin = first + low * (last - first);
      for (let at = Math.ceil((begin + offset) / step) * step - offset; y && at <= begin + span; at += step) {
        const share = (at - begin) / span;
        if (share < 0.03 || share > 0.97) continue;
        add(plot, "text", { class: "time zoomed", x: `${share * 100}%`, y }).textContent = clock(at, step);
      }
    }
  };
  reset.addEventListener("click", () => show(0, 1));
  // Browsers without ::details-content print what is unfolded.
  if (!CSS.supports("selector(details::details-content)")) {
    const unfold = () => document.querySelectorAll("details").forEach((one) => { one.open = true; });
    addEventListener("beforeprint", unfold);
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") show(0, 1); });

  const leave = () => document.querySelectorAll(".cursor, .choice, .readout").forEach((one) => one.remove());
  const shareOf = (event, plot) => {
    // Not that of the marks: it is as narrow as what is drawn.
    const area = plot.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - area.left) / area.width, 0), 1);
  };
  for (const figure of charts) {
    const plot = figure.querySelector("svg.plot");
    const isStrips = figure.classList.contains("strips");
    const names = [...figure.querySelectorAll(".legend .name")].map((one) => one.textContent);
    let data = null;
    let start = null;
    plot.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0) start = shareOf(event, plot);
    });
    plot.addEventListener("pointermove", (event) => {
      leave();
      const share = shareOf(event, plot);
      for (const other of charts) {
        const at = other.querySelector("svg.plot");
        add(at, "line", { class: "cursor", x1: `${share * 100}%`, x2: `${share * 100}%`, y1: 18, y2: at.clientHeight - 22 });
      }
      if (start !== null) {
        const left = Math.min(start, share) * 100;
        add(plot, "rect", { class: "choice", x: `${left}%`, y: 18, width: `${Math.abs(share - start) * 100}%`, height: plot.clientHeight - 40 });
      }
      if (isStrips) return;
      data ??= rows(figure);
      const whole = view[0] + share * (view[1] - view[0]);
      const row = data[Math.min(Math.floor(whole * (last - first) / width), data.length - 1)];
      const readout = document.createElement("p");
      readout.className = "readout";
      const values = row.slice(1).map((value, index) =>
        `${names[index] ? `${names[index]} ` : ""}${value === "" ? "–" : Number(value).toLocaleString("en", { maximumFractionDigits: 1 })}`);
      readout.textContent = `${clock(Date.parse(row[0]) / 1000, width)}   ${values.join("   ")}`;
      figure.append(readout);
    });
    plot.addEventListener("pointerup", (event) => {
      const share = shareOf(event, plot);
      const [low, high] = [Math.min(start ?? share, share), Math.max(start ?? share, share)];
      start = null;
      leave();
      const span = view[1] - view[0];
      // Less than a few bins is a click, not a choice.
      if ((high - low) * span * (last - first) > 4 * width) show(view[0] + low * span, view[0] + high * span);
    });
    plot.addEventListener("pointerleave", () => { start = null; leave(); });
    plot.addEventListener("dblclick", () => show(0, 1));
  }
})();
