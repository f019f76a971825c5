"use strict";
(() => {
  const root = document.documentElement;
  const ask = new URLSearchParams(location.search);
  const remember = (key, value) => {
    try { if (value === undefined) return localStorage.getItem(key); localStorage.setItem(key, value); }
    catch { /* a page from a file may keep nothing */ }
    return null;
  };

  const themes = ["system", "light", "dark"];
  const button = document.getElementById("theme");
  const show = (theme) => {
    root.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  const chosen = [ask.get("theme"), remember("theme")].find((theme) => themes.includes(theme));
  show(chosen || "system");
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length];
    remember("theme", next);
    show(next);
    keep("theme", next === "system" ? "" : next);
  });

  // pages of a folder may keep nothing in common, so that a link takes the theme along
  addEventListener("click", (event) => {
    const link = event.target.closest("a[href]:not([download])");
    if (!link || root.dataset.theme === "system" || link.getAttribute("href").startsWith("#")) return;
    const target = new URL(link.getAttribute("href"), location.href);
    target.searchParams.set("theme", root.dataset.theme);
    link.setAttribute("href", target.href);
  }, true);

  const keep = (key, value) => {
    if (value) ask.set(key, value); else ask.delete(key);
    const query = ask.toString();
    try { history.replaceState(null, "", `${location.pathname}${query ? `?${query}` : ""}${location.hash}`); }
    catch { /* then the address does not say it */ }
  };

  const tables = [...document.querySelectorAll("table[data-rows]")];
  const order = new Map(tables.map((table) => [table, [...table.tBodies[0].rows]]));

  const value = (row, column) => {
    const cell = row.cells[column];
    const words = cell.textContent.trim();
    return { number: cell.dataset.v === undefined ? NaN : Number(cell.dataset.v), words };
  };
  const compare = (column, down) => (a, b) => {
    const x = value(a, column), y = value(b, column);
    if (!x.words || !y.words) return (x.words ? 0 : 1) - (y.words ? 0 : 1);
    const both = !Number.isNaN(x.number) && !Number.isNaN(y.number);
    const by = both ? x.number - y.number : x.words.localeCompare(y.words, "en", { numeric: true });
    return down ? -by : by;
  };
  const sort = (table, column, direction) => {
    [...table.tHead.rows[0].cells].forEach((head, i) => {
      head.setAttribute("aria-sort", i === column && direction !== "none" ? direction : "none");
    });
    const rows = [...order.get(table)];
    if (direction !== "none") rows.sort(compare(column, direction === "descending"));
    table.tBodies[0].append(...rows);
  };
  const turns = { none: "ascending", ascending: "descending", descending: "none" };
  for (const table of tables) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const press = document.createElement("button");
      press.type = "button";
      press.append(...head.childNodes);
      head.append(press);
      head.setAttribute("aria-sort", "none");
      press.addEventListener("click", () => {
        const direction = turns[head.getAttribute("aria-sort")];
        sort(table, column, direction);
        keep("sort", direction === "none" ? "" : `${table.id}.${column}.${direction}`);
      });
    });
  }
  const [name, column, direction] = (ask.get("sort") || "").split(".");
  const asked = tables.find((table) => table.id === name);
  if (asked && direction in turns && asked.tHead.rows[0].cells[Number(column)]) sort(asked, Number(column), direction);

  const field = document.getElementById("filter");
  if (field && tables.length) {
    const count = document.getElementById("count");
    const filter = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0, all = 0;
      for (const [table, rows] of order) {
        const around = `${table.caption.textContent} `.toLowerCase();
        for (const row of rows) {
          const text = around + row.textContent.toLowerCase();
          row.hidden = !words.every((word) => text.includes(word));
          shown += row.hidden ? 0 : 1;
          all += 1;
        }
      }
      count.textContent = words.length ? `${shown} of ${all} rows` : "";
    };
    field.closest(".filter").hidden = false;
    field.value = ask.get("q") || "";
    field.addEventListener("input", () => { filter(); keep("q", field.value.trim()); });
    if (field.value) filter();
  }

  const open = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target) target.querySelectorAll("details").forEach((details) => { details.open = true; });
  };
  addEventListener("hashchange", open);
  open();
})();
