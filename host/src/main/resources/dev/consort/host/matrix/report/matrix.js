"use strict";
(() => {
  const root = document.documentElement;
  const find = (id) => document.getElementById(id);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));

  // Theme: as the system has it, or the reader's choice, remembered where that is allowed.
  const themes = ["auto", "light", "dark"];
  const remembered = () => { try { return localStorage.getItem("consort-theme"); } catch { return null; } };
  const remember = (theme) => { try { localStorage.setItem("consort-theme", theme); } catch { /* not allowed */ } };
  const show = (theme) => {
    if (theme === "auto") { root.removeAttribute("data-theme"); } else { root.dataset.theme = theme; }
    find("theme").textContent = "Theme: " + theme;
    find("theme").dataset.now = theme;
  };
  show(themes.includes(remembered()) ? remembered() : "auto");
  find("theme").addEventListener("click", () => {
    const next = themes[(themes.indexOf(find("theme").dataset.now) + 1) % themes.length];
    show(next);
    remember(next);
  });

  // Filters: words, and states that a row must hold one of.
  const rows = all(".matrix tbody tr[data-row]");
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const chips = all(".controls button[data-state]");
  const apply = () => {
    const words = find("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    const states = chips.filter((c) => c.getAttribute("aria-pressed") === "true").map((c) => c.dataset.state);
    let shown = 0;
    for (const row of rows) {
      const cells = all(".cell", row);
      const fits = words.every((word) => texts.get(row).includes(word))
        && (states.length === 0 || cells.some((cell) => states.includes(cell.dataset.state)));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
      for (const cell of cells) {
        cell.classList.toggle("dim", states.length > 0 && !states.includes(cell.dataset.state));
      }
    }
    for (const body of all(".matrix tbody")) {
      body.hidden = !all("tr[data-row]", body).some((row) => !row.hidden);
    }
    find("shown").textContent = shown + " of " + rows.length + " rows shown";
    rove();
  };
  find("words").addEventListener("input", apply);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      apply();
    });
  }
  find("controls").hidden = false;

  // One cell is in the tab order, the arrow keys go to the others.
  let current = null;
  const rove = (to) => {
    const usable = current && !current.closest("[hidden]") ? current : null;
    const next = to || usable || document.querySelector(".matrix tr[data-row]:not([hidden]) .cell");
    if (current && current !== next) { current.tabIndex = -1; }
    current = next;
    if (current) { current.tabIndex = 0; }
  };
  for (const cell of all(".cell")) { cell.tabIndex = -1; }
  const step = (cell, down, right) => {
    const lines = rows.filter((row) => !row.hidden);
    const row = cell.closest("tr");
    const column = cell.closest("td").cellIndex;
    if (right) {
      const line = all(".cell", row);
      return line[line.indexOf(cell) + right];
    }
    for (let i = lines.indexOf(row) + down; i >= 0 && i < lines.length; i += Math.sign(down)) {
      const found = lines[i].cells[column] && lines[i].cells[column].querySelector(".cell");
      if (found) { return found; }
    }
    return undefined;
  };
  const keys = {
    ArrowDown: (c) => step(c, 1, 0), ArrowUp: (c) => step(c, -1, 0),
    ArrowRight: (c) => step(c, 0, 1), ArrowLeft: (c) => step(c, 0, -1),
    PageDown: (c) => step(c, 10, 0), PageUp: (c) => step(c, -10, 0),
    Home: (c) => all(".cell", c.closest("tr"))[0], End: (c) => all(".cell", c.closest("tr")).at(-1),
  };

  // What is behind a cell, on hover, focus and touch; Escape puts it away.
  const tip = find("tip");
  let hiding = 0;
  const place = (cell) => {
    const box = cell.getBoundingClientRect();
    tip.style.left = Math.max(8, Math.min(box.left, innerWidth - tip.offsetWidth - 8)) + "px";
    // On a narrow screen it lies along the bottom, or the top where it would hide its cell.
    tip.classList.toggle("high", box.bottom > innerHeight - tip.offsetHeight - 16);
    const below = box.bottom + 6;
    const above = box.top - tip.offsetHeight - 6;
    tip.style.top = (below + tip.offsetHeight < innerHeight || above < 0 ? below : above) + "px";
  };
  const open = (cell) => {
    clearTimeout(hiding);
    const row = cell.closest("tr").querySelector("th").textContent;
    const column = cell.closest("table").tHead.rows[0].cells[cell.closest("td").cellIndex].dataset.name;
    const title = document.createElement("b");
    title.textContent = row + " on " + column + ": " + cell.dataset.words;
    const detail = document.createElement("div");
    detail.textContent = cell.querySelector(".detail").textContent;
    const time = document.createElement("small");
    time.textContent = cell.dataset.time;
    tip.replaceChildren(title, detail, time);
    tip.hidden = false;
    place(cell);
  };
  const close = () => { clearTimeout(hiding); tip.hidden = true; };
  const closeSoon = () => { clearTimeout(hiding); hiding = setTimeout(close, 150); };
  const matrix = document.querySelector(".matrix");
  const cellOf = (event) => event.target.closest(".cell");
  matrix.addEventListener("mouseover", (event) => { const cell = cellOf(event); if (cell) { open(cell); } });
  matrix.addEventListener("mouseout", (event) => { if (cellOf(event)) { closeSoon(); } });
  tip.addEventListener("mouseenter", () => clearTimeout(hiding));
  tip.addEventListener("mouseleave", closeSoon);
  matrix.addEventListener("focusin", (event) => {
    const cell = cellOf(event);
    if (cell) { rove(cell); open(cell); }
  });
  matrix.addEventListener("focusout", closeSoon);
  matrix.addEventListener("click", (event) => {
    const cell = cellOf(event);
    if (cell) { cell.focus(); open(cell); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { close(); return; }
    const cell = event.target.closest(".cell");
    const go = cell && keys[event.key];
    if (go) {
      event.preventDefault();
      const next = go(cell);
      if (next) { next.focus(); }
    }
  });
  document.addEventListener("scroll", (event) => {
    const cell = document.activeElement.closest(".cell");
    if (event.target === tip || tip.hidden) { return; }
    if (cell) { place(cell); } else { close(); }
  }, { capture: true, passive: true });
  apply();
})();
