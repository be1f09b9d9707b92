"use strict";
// Tables (DataTables), plots (Observable Plot) and questions of the report. All texts come from the
// instance: they become text nodes, and never markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const numbers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
  const tenths = new Intl.NumberFormat("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const shares = new Intl.NumberFormat("en-US", { style: "percent", maximumFractionDigits: 1 });
  const BAD = ["unused", "failing", "never_logged_in", "owner_disabled", "content_deleted"];
  const WARN = ["linked", "delivered", "inactive", "unknown", "only_in_lookml", "only_in_content",
    "used_before", "not_listed", "never_run", "off"];
  const GOOD = ["used", "active", "ok", "on"];
  const WORDS = {
    on_dashboard: "on a dashboard", not_listed: "not listed", deleted: "in the trash",
    only_in_filters_sorts_or_calculations: "only filters, sorts, calculations",
    only_in_lookml: "only in LookML", only_in_content: "only in content",
    used_before: "used before", never_logged_in: "never logged in",
    owner_disabled: "owner disabled", content_deleted: "content in the trash",
    never_run: "never ran", lookml_dashboard: "LookML dashboard",
    service_account: "service account", api_only: "API only", looker_support: "Looker support",
    sql_table_name: "sql_table_name", derived_table_graph: "derived table graph",
    generated_sql: "generated SQL",
  };
  const KINDS = ["content_type", "subject_type", "kind", "table_known_from"];
  const MOST_IN_LIST = 5000;

  // ------------------------------------------------------------------------------------- elements

  function element(tag, properties = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }
  const clean = (text) => String(text).replaceAll("\0", "\ufffd");
  const words = (value) => (Object.hasOwn(WORDS, value) ? WORDS[value] : clean(value).replaceAll("_", " "));
  const short = (text, most = 100) => (text.length > most ? `${text.slice(0, most)}…` : text);
  const named = (text) => element("bdi", { className: "name" }, short(clean(text ?? "without a name")));
  const counted = (count, one, many = `${one}s`) => `${numbers.format(count)} ${count === 1 ? one : many}`;

  // --------------------------------------------------------------------------------------- tables

  /** Rows, whose columns came each by itself. */
  function rowsOf({ columns: packed }) {
    const columns = packed.map(({ texts, values }) =>
      texts ? values.map((place) => (place === null ? null : texts[place])) : values);
    return (columns[0] ?? []).map((_, row) => columns.map((column) => column[row]));
  }

  /** A time in the unit that fits, as in the sentences. */
  function duration(seconds) {
    if (seconds >= 5400) return `${tenths.format(seconds / 3600)} h`;
    return seconds >= 100 ? `${tenths.format(seconds / 60)} min` : `${tenths.format(seconds)} s`;
  }

  const SHOWN = {
    number: (value) => numbers.format(value),
    seconds: duration,
    share: (value) => shares.format(value),
    yes: (value) => (value ? "yes" : "no"),
    day: (value) => value,
  };
  const CLASSES = { number: "num", seconds: "num", share: "num", day: "day", yes: "flag", code: "code" };
  const URLS = { dashboard: "dashboards", lookml_dashboard: "dashboards", look: "looks" };

  function cell(value, column, row, table) {
    if (value === null || value === undefined || value === "") {
      return element("span", { className: "unknown" }, "–");
    }
    if (column.kind === "verdict") {
      const tone = BAD.includes(value) ? "bad" : WARN.includes(value) ? "warn" : GOOD.includes(value) ? "good" : "";
      return element("span", { className: `verdict ${tone}` }, words(value));
    }
    if (SHOWN[column.kind]) return document.createTextNode(SHOWN[column.kind](value));
    const text = element("bdi", {}, KINDS.includes(column.name) ? words(value) : clean(value));
    const link = column.name === "title" && linkOf(row, table);
    return element("span", { className: "clip" }, link ? element("a", { href: link, rel: "noreferrer noopener" }, text) : text);
  }

  function linkOf(row, table) {
    const at = (name) => row[table.columns.findIndex((column) => column.name === name)];
    const [kind, id] = [URLS[at("content_type")], at("content_id")];
    return data.looker && kind && id ? `${data.looker}/${kind}/${encodeURIComponent(id)}` : "";
  }

  /** A text as a CSV file may have it: a spreadsheet takes what starts so for a formula. */
  function harmless(value) {
    if (value === null || value === undefined) return "";
    if (typeof value !== "string") return value;
    const text = value.replaceAll("\0", "");
    return /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  }

  /** A choice among the rows: by what a column says, or those that a sentence counts. */
  function filterOf(table, column, rows, views, api) {
    const counts = column < 0 ? [] : d3.rollup(rows, (those) => those.length, (row) => row[column]);
    const id = `filter-${table.name}`;
    const option = (value, text, count) => element("option", { value }, `${text} (${numbers.format(count)})`);
    const select = element("select", { id },
      option("", "All", rows.length),
      ...d3.sort(counts, ([, count]) => -count).map(([value, count]) => option(value, words(value), count)),
      ...views.map((view) => option(view.name, view.label, view.rows.length)));
    select.addEventListener("change", () => {
      const view = views.find(({ name }) => name === select.value);
      const places = view && new Set(view.rows);
      if (column >= 0) api().column(column).search(select.value && !view ? (value) => value === select.value : "");
      api().search.fixed("view", view ? (_, row, place) => places.has(place) : null).draw();
    });
    return element("div", { className: "filter" },
      element("label", { htmlFor: id }, column < 0 ? "Show" : table.columns[column].label), select);
  }

  function show(place, table, rows = rowsOf(table)) {
    place.replaceChildren();
    const made = element("table");
    place.append(made);
    const verdict = table.columns.findIndex((column) => column.kind === "verdict" || column.name === "subject_type");
    let api;
    const start = [];
    const views = (table.views ?? []).filter((view) => view.rows.length);
    if (rows.length && (verdict >= 0 || views.length)) start.push(() => filterOf(table, verdict, rows, views, () => api));
    if (rows.length > 10) start.push("search");
    api = new DataTable(made, {
      data: rows,
      caption: table.caption,
      columns: table.columns.map((column, place) => ({
        title: column.label,
        className: CLASSES[column.kind] ?? "",
        type: ["number", "seconds", "share"].includes(column.kind) ? "num" : "string-utf8",
        orderSequence: ["number", "seconds", "share", "day", "yes"].includes(column.kind) ? ["desc", "asc"] : ["asc", "desc"],
        render: (value, type, row) => {
          if (type === "display") return cell(value, column, row, table);
          if (type === "export") return value ?? "";
          if (type === "filter") return place === verdict ? value : clean(value ?? "");
          if (type === "sort" && typeof value === "boolean") return value ? "1" : "0";
          return value ?? (["number", "seconds", "share"].includes(column.kind) ? -1 : "");
        },
      })),
      drawCallback: () => $(".dt-paging nav", place)?.setAttribute("aria-label", `Pages of: ${table.caption}`),
      order: [],
      autoWidth: false,
      pageLength: 10,
      lengthMenu: [10, 25, 50, 100, 250],
      layout: {
        topStart: start[0] ?? null,
        topEnd: start[1] ?? null,
        bottomStart: "info",
        bottomEnd: [rows.length > 10 ? "pageLength" : null, rows.length > 10 ? "paging" : null, {
          buttons: [{
            extend: "csv", text: "Export CSV", bom: true, filename: `looker-${table.name}`, title: null,
            exportOptions: {
              orthogonal: "export",
              format: {
                header: (_, place) => table.columns[place].label + (table.columns[place].kind === "seconds" ? " (seconds)" : ""),
                body: harmless,
              },
            },
          }],
        }].filter(Boolean),
      },
      language: {
        search: "Search", lengthMenu: "Rows _MENU_", emptyTable: table.empty ?? "There are none.",
        info: "_START_ to _END_ of _TOTAL_", infoEmpty: "None", infoFiltered: "(of _MAX_)",
        zeroRecords: "Nothing matches.",
      },
    });
    const scroll = $(".dt-layout-table", place);
    scroll?.setAttribute("tabindex", "0");
    scroll?.setAttribute("role", "region");
    scroll?.setAttribute("aria-label", table.caption);
    if (table.cut) {
      place.append(element("p", { className: "hint" },
        `The first ${numbers.format(table.cut)} rows, in the order above: what a link or a search finds here may not be all. The dbt package has all of them.`));
    }
    return api;
  }

  const shown = {};
  for (const place of all("[data-table]")) {
    const name = place.dataset.table;
    const table = data.tables[name];
    if (!table) continue;
    table.name = name;
    shown[name] = show(place, table);
  }

  // A link shows the rows that its sentence counts, whatever was searched for before.
  for (const link of all("a[data-filter]")) {
    link.addEventListener("click", () => {
      const [name, value] = link.dataset.filter.split(":");
      const select = $(`#filter-${name}`);
      shown[name].search("");
      if (link.dataset.sort) {
        const sorted = link.dataset.sort.split(":")[1];
        shown[name].order([[data.tables[name].columns.findIndex((column) => column.name === sorted), "desc"]]);
      }
      select.value = value;
      select.dispatchEvent(new Event("change"));
    });
  }

  // ---------------------------------------------------------------------------------------- plots

  /** Rows of a table as objects. */
  function objects(table) {
    if (!table) return [];
    return rowsOf(table).map((row) =>
      Object.fromEntries(table.columns.map((column, place) => [column.name, row[place]])));
  }
  const date = (text) => new Date(`${text}T00:00:00Z`);
  const AUDIENCES = { people: "people", embed: "embedding", schedule: "schedules", api: "API", by_looker: "Looker itself" };
  const COLORS = ["--c-people", "--c-embed", "--c-schedule", "--c-api", "--c-system"].map((name) => `var(${name})`);
  const days = objects(data.tables.days).map((row) => ({ ...row, day: date(row.ran_on) }));
  const overDays = { marginBottom: 38, x: { type: "utc", label: null } };
  const bidi = (text) => short(clean(text ?? "without a name"), 34);

  /** Bars with a name each. Names may be alike: their places tell them apart. */
  function bars(rows, { name, value, label, color = "var(--c-people)", marks = [], format }) {
    return (width) => ({
      marginLeft: Math.min(240, width * 0.42),
      marginRight: 56,
      marginTop: 4,
      marginBottom: 6,
      height: rows.length * 27 + 10,
      x: { axis: null, label, zero: true },
      y: { label: null, domain: d3.range(rows.length), tickFormat: (place) => bidi(rows[place][name]), tickSize: 0 },
      marks: [
        Plot.barX(rows, { x: value, y: (_, place) => place, fill: color, insetTop: 3, insetBottom: 3, rx: 2 }),
        Plot.text(rows, { x: value, y: (_, place) => place, text: (row) => format(row[value]), dx: 5, textAnchor: "start", fill: "var(--soft)" }),
        ...marks,
      ],
    });
  }

  const PLOTS = {
    verdicts() {
      const rows = data.verdicts.map((row) => ({ ...row, name: words(row.verdict) }));
      const order = ["used", "delivered", "on_dashboard", "new", "linked", "kept", "unknown", "unused", "not_listed", "deleted"];
      rows.sort((one, other) => order.indexOf(one.verdict) - order.indexOf(other.verdict));
      return {
        text: rows.map((row) => `${row.name} ${row.count}`).join(", "),
        options: bars(rows, { name: "name", value: "count", label: "Dashboards and looks", format: (count) => numbers.format(count) }),
      };
    },
    queries() {
      const rows = days.flatMap((row) => Object.entries(AUDIENCES).map(([key, by]) => ({ day: row.day, by, queries: row[key] })));
      const used = Object.values(AUDIENCES).filter((by) => d3.sum(rows, (row) => (row.by === by ? row.queries : 0)));
      return {
        text: used.map((by) => `${by} ${numbers.format(d3.sum(rows, (row) => (row.by === by ? row.queries : 0)))}`).join(", "),
        options: () => ({
          height: 260, ...overDays, y: { label: "Queries", grid: true, nice: true },
          color: { legend: true, domain: used, range: used.map((by) => COLORS[Object.values(AUDIENCES).indexOf(by)]) },
          marks: [
            Plot.rectY(rows.filter((row) => row.queries), { x: "day", y: "queries", fill: "by", interval: "day", order: used, insetLeft: 0.5, insetRight: 0.5, tip: { format: { x: "%-d %b" } } }),
            Plot.ruleY([0], { stroke: "var(--strong-line)" }),
          ],
        }),
      };
    },
    people() {
      return {
        text: days.length ? `between ${d3.min(days, (row) => row.users)} and ${d3.max(days, (row) => row.users)} a day, ${numbers.format(d3.mean(days, (row) => row.users))} on average` : "no days",
        options: () => ({
          height: 220, ...overDays, y: { label: "People", grid: true, nice: true, zero: true },
          marks: [
            Plot.dot(days, { x: "day", y: "users", r: 2, fill: "var(--c-people)", fillOpacity: 0.55, tip: { format: { x: "%-d %b" } } }),
            Plot.lineY(days, Plot.windowY({ k: 7, anchor: "end", strict: true }, { x: "day", y: "users", stroke: "var(--c-people)", strokeWidth: 2 })),
            Plot.ruleY([0], { stroke: "var(--strong-line)" }),
          ],
        }),
      };
    },
    errors() {
      const rows = days.map((row) => ({ ...row, all: d3.sum(Object.keys(AUDIENCES), (key) => row[key]) + (row.tap ?? 0) }))
        .filter((row) => row.all).map((row) => ({ ...row, share: (100 * row.errors) / row.all }));
      return {
        text: `${numbers.format(d3.sum(rows, (row) => row.errors))} failed; at worst ${numbers.format(d3.max(rows, (row) => row.share) ?? 0)} percent of a day`,
        options: () => ({
          height: 200, ...overDays, y: { label: "Failed, %", grid: true, nice: true, zero: true },
          marks: [
            Plot.areaY(rows, { x: "day", y: "share", fill: "var(--c-bad)", fillOpacity: 0.15, curve: "step" }),
            Plot.lineY(rows, { x: "day", y: "share", stroke: "var(--c-bad)", strokeWidth: 1.5, curve: "step", tip: { format: { x: "%-d %b" } } }),
            Plot.ruleY([0], { stroke: "var(--strong-line)" }),
          ],
        }),
      };
    },
    busiest() {
      const rows = data.busiest.map((row) => ({ ...row, title: row.title ?? row.content_id }));
      return {
        text: rows.map((row) => `${short(clean(row.title), 60)} ${row.runs_90d}`).join("; "),
        options: bars(rows, { name: "title", value: "runs_90d", label: "Runs", format: (count) => numbers.format(count) }),
      };
    },
    slowest() {
      const rows = data.slowest;
      return {
        text: rows.map((row) => `${short(clean(row.subject_id), 60)} ${numbers.format(row.average_seconds)} s`).join("; "),
        options: bars(rows, {
          name: "subject_id", value: "average_seconds", label: "Seconds on average", color: "var(--c-api)",
          format: (time) => `${tenths.format(time)} s`,
          marks: [Plot.ruleX([Number(document.body.dataset.slow)], { stroke: "var(--c-bad)", strokeDasharray: "4 3" })],
        }),
      };
    },
    levels() {
      const order = ["admin", "developer", "explorer", "viewer", "none"];
      const verdicts = ["active", "inactive", "never_logged_in", "unknown"].filter((one) => data.levels.some((row) => row.verdict === one));
      const colors = { active: "var(--c-people)", inactive: "var(--c-api)", never_logged_in: "var(--c-bad)", unknown: "var(--c-system)" };
      return {
        text: data.levels.map((row) => `${row.level}, ${words(row.verdict)}: ${row.users}`).join("; "),
        options: () => ({
          height: 210, marginLeft: 80, x: { label: null, grid: true },
          y: { label: null, domain: order.filter((one) => data.levels.some((row) => row.level === one)), tickSize: 0 },
          color: { legend: true, domain: verdicts.map(words), range: verdicts.map((one) => colors[one]) },
          marks: [Plot.barX(data.levels, { x: "users", y: "level", fill: (row) => words(row.verdict), order: verdicts.map(words), insetTop: 3, insetBottom: 3, tip: true })],
        }),
      };
    },
    calls() {
      const rows = objects(data.tables.calls).map((row) => ({ ...row, day: date(row.called_on) }));
      return {
        text: rows.length ? `between ${numbers.format(d3.min(rows, (row) => row.calls))} and ${numbers.format(d3.max(rows, (row) => row.calls))} a day` : "no days",
        options: () => ({
          height: 220, marginLeft: 56, ...overDays, y: { label: "Calls", grid: true, nice: true },
          marks: [
            Plot.rectY(rows, { x: "day", y: "calls", interval: "day", fill: "var(--c-people)", insetLeft: 0.5, insetRight: 0.5, tip: { format: { x: "%-d %b" } } }),
            Plot.ruleY([0], { stroke: "var(--strong-line)" }),
          ],
        }),
      };
    },
  };

  for (const figure of all("[data-plot]")) {
    const { text, options } = PLOTS[figure.dataset.plot]();
    const canvas = $(".canvas", figure);
    const caption = $("figcaption", figure);
    let width = 0;
    const draw = (now) => {
      if (Math.abs(now - width) < 8 || now < 40) return;
      width = now;
      const plot = Plot.plot({ width, style: { fontSize: "12px", background: "transparent", color: "var(--soft)" }, ...options(width) });
      const svg = plot.tagName === "svg" ? plot : all("svg", plot).at(-1);
      all("[aria-label]", svg).forEach((part) => part.removeAttribute("aria-label")); // the whole has one
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", `${caption.textContent.trim()} ${text}.`);
      canvas.replaceChildren(plot);
    };
    draw(canvas.clientWidth);
    new ResizeObserver(([entry]) => draw(Math.floor(entry.contentRect.width))).observe(canvas);
  }

  // ------------------------------------------------------------------------------------ questions

  /** A field that offers names: what is typed may be one of them, or be a part of one alone. */
  function picker(name, options, picked) {
    const input = $(`[data-pick="${name}"]`);
    if (!input) return;
    const places = new Map();
    const list = $(`#list-${name}`);
    options.forEach(({ label }, place) => {
      let unique = label;
      for (let more = 2; places.has(unique); more += 1) unique = `${label} #${more}`;
      places.set(unique, place);
    });
    list.append(...[...places.keys()].slice(0, MOST_IN_LIST).map((value) => element("option", { value })));
    input.addEventListener("input", () => {
      const typed = input.value.trim();
      let place = places.get(typed);
      if (place === undefined && typed) {
        const found = [...places].filter(([label]) => label.toLowerCase().includes(typed.toLowerCase()));
        if (found.length === 1) [[, place]] = found;
      }
      picked(place === undefined ? null : options[place]);
    });
  }

  const label = (text, kind) => `${short(clean(text ?? "without a name").replace(/\s+/g, " "), 90)} (${kind})`;
  const contents = objects({ columns: data.contents }).map((row, place) => ({ ...row, place }));
  const { explores, tables, sets: tableSets, reads, pathsCut } = data.lineage ?? { explores: [], tables: [], sets: [], reads: [], pathsCut: 0 };
  const pairs = (flat) => d3.range(0, flat.length, 2).map((at) => flat.slice(at, at + 2));
  /** Models whose data some content shows. */
  const modelsOf = ({ place }) => [...new Set(pairs(reads[place] ?? []).map(([explore]) => explores[explore].split("::")[0]))];
  const MORE = pathsCut ? ` This page holds the first ${numbers.format(pathsCut)} paths from content to tables: there may be more.` : "";
  const CONTENT_KINDS = { dashboard: "dashboard", lookml_dashboard: "LookML dashboard", look: "look" };
  const access = data.access;

  if (access) {
    const { users, grants, folders, lists, models, groups, sets, rights } = access;
    const column = (name, title, kind = "text") => ({ name, label: title, kind });
    const triples = (flat) => d3.range(0, flat.length, 3).map((at) => flat.slice(at, at + 3));
    /** What a user may do, by models: [model, set, grant]. */
    const rightsOf = (user) => triples(rights[user] ?? []).flatMap(([group, set, grant]) =>
      groups[group].map((model) => [model, set, grant]));
    /** Models on which each user has a permission. */
    const may = (permission) => rights.map((flat) => new Set(triples(flat)
      .filter(([, set]) => sets[set].includes(permission)).flatMap(([group]) => groups[group].map((model) => models[model]))));
    const data_of = may("access_data");
    const LISTS = { dashboard: "see_user_dashboards", look: "see_looks", lookml_dashboard: "see_lookml_dashboards" };
    const seen_by = Object.fromEntries(Object.entries(LISTS).map(([kind, permission]) => [kind, may(permission)]));
    /** Whether a user may see a kind of content, of a model if it is LookML, where folders let it. */
    const maySee = (user, kind, model) => !access.hasRoles || Boolean(users.admin[user])
      || (model === undefined ? seen_by[kind][user].size > 0 : seen_by[kind][user].has(model));
    const modelOf = (row) => row.content_id.split("::")[0];
    const person = (user) => [users.name[user], users.email[user], Boolean(users.disabled[user])];
    const PERSON = [column("user_name", "Name"), column("user_email", "Email"), column("disabled", "Disabled", "yes")];

    const targets = [
      ...contents.filter((row) => row.is_listed).map((row) => ({ label: label(row.title, `${CONTENT_KINDS[row.content_type]} ${row.content_id}`), row })),
      ...folders.map(([id, path], folder) => ({ label: label(path, `folder ${id}`), folder })),
      ...models.map((model) => ({ label: label(model, "model"), model })),
    ];

    function dataShown(user, wanted) {
      if (!access.hasRoles || !wanted?.length) return "";
      const without = wanted.filter((model) => !data_of[user].has(model));
      if (!without.length) return "all";
      return without.length === wanted.length ? "none" : `not of ${without.join(", ")}`;
    }

    function ofFolder(folder, wanted, kind) {
      const decided = folders[folder][3];
      return triples(lists[folders[folder][2]])
        .filter(([user]) => !kind || maySee(user, kind))
        .map(([user, edits, grant]) => [...person(user), edits ? "edit" : "view", dataShown(user, wanted), grants[grant],
          decided === null || grants[grant].startsWith("admin:") ? "" : access.paths[decided]]);
    }

    /** Users and what they may do with a model: [user, row]. */
    function ofModel(model) {
      return d3.range(rights.length).flatMap((user) => rightsOf(user).filter(([at]) => models[at] === model)
        .map(([, set, grant]) => [user, [...person(user), sets[set].join(", "), grants[grant]]]));
    }

    /** Those who may see the LookML dashboards of a model, a row each. */
    function ofLookml(model) {
      const permitted = new Map(ofModel(model).filter(([, row]) => row[3].split(", ").includes(LISTS.lookml_dashboard)));
      return d3.range(users.id.length).filter((user) => maySee(user, "lookml_dashboard", model))
        .map((user) => permitted.get(user) ?? [...person(user), "administer", "an admin’s role"]);
    }

    function tell(place, sentence) {
      $(place).replaceChildren(element("p", {}, ...sentence));
    }

    picker("what", targets, (target) => {
      const place = $('[data-answer="what"]');
      place.replaceChildren();
      $("#answer-what").replaceChildren();
      if (!target) return;
      const { row, folder, model } = target;
      const GRANTED = [column("granted_by", "Granted by"), column("decided_by", "Decided by folder")];
      const PERMISSIONS = [column("permissions", "Permissions"), GRANTED[0]];
      if (model !== undefined) {
        const found = ofModel(model);
        const people = new Set(found.map(([user]) => user)).size;
        tell("#answer-what", [`${counted(people, "user")} may do something with `, named(model), "."]);
        show(place, { name: "who-sees-model", caption: "Who may do what with this model", columns: [...PERSON, ...PERMISSIONS] }, found.map(([, one]) => one));
        return;
      }
      const at = row ? access.content[row.place] : folder;
      if (row?.content_type === "lookml_dashboard" && access.hasRoles) {
        const of = modelOf(row);
        const rows = ofLookml(of);
        tell("#answer-what", [`${counted(rows.length, "user")} may see LookML dashboards of the model `, named(of), ", and so ", named(row.title), "."]);
        show(place, { name: "who-sees", caption: "Who may see it", columns: [...PERSON, ...PERMISSIONS] }, rows);
        return;
      }
      if (row?.content_type === "lookml_dashboard") {
        tell("#answer-what", ["It cannot be told: what roles permit was not loaded."]);
        return;
      }
      if (at === null) {
        tell("#answer-what", ["It cannot be told: the folder of ", named(row.title), " or its access was not loaded."]);
        return;
      }
      const wanted = row && modelsOf(row);
      const rows = ofFolder(at, wanted, row?.content_type);
      const editors = rows.filter((one) => one[3] === "edit").length;
      const enabled = rows.filter((one) => !one[2]).length;
      const blind = rows.filter((one) => one[4] && one[4] !== "all").length;
      tell("#answer-what", [
        `${counted(rows.length, "user")} may open `, named(row ? row.title : folders[at][1]),
        `, ${numbers.format(editors)} of them edit it; ${numbers.format(enabled)} are enabled.`,
        row ? " It is in the folder " : "", row ? named(folders[at][1]) : "", row ? "." : "",
        wanted?.length ? ` It shows data of ${wanted.length === 1 ? "the model" : "the models"} ` : "",
        ...(wanted ?? []).flatMap((one, place) => [place ? ", " : "", named(one)]),
        wanted?.length ? (blind ? `, which ${counted(blind, "user")} may not see, or not all of it.` : ", which all of them may see.") : "",
        row ? MORE : "",
      ]);
      const columns = [...PERSON, column("level", "Level", "verdict"), column("data", "Sees its data"), ...GRANTED];
      const has_data = wanted?.length && access.hasRoles;
      const kept = (_, place) => has_data || place !== 4;
      show(place, { name: "who-sees", caption: row ? "Who may open it" : "Who may open this folder", columns: columns.filter(kept) },
        rows.map((one) => one.filter(kept)));
    });

    const listed = d3.group(contents.filter((row) => row.is_listed), (row) => row.content_type);
    const [dashboardsIn, looksIn] = ["dashboard", "look"].map((kind) =>
      d3.rollup(listed.get(kind) ?? [], (rows) => rows.length, (row) => access.content[row.place]));
    const lookmlOf = d3.rollups(listed.get("lookml_dashboard") ?? [], (rows) => rows.length, modelOf);
    const byUser = new Map();
    folders.forEach(([, path, list, decided], folder) => {
      for (const [user, edits, grant] of triples(lists[list])) {
        if (!byUser.has(user)) byUser.set(user, []);
        byUser.get(user).push([path, edits ? "edit" : "view", grants[grant],
          decided === null || grants[grant].startsWith("admin:") ? "" : access.paths[decided],
          maySee(user, "dashboard") ? dashboardsIn.get(folder) ?? 0 : 0, maySee(user, "look") ? looksIn.get(folder) ?? 0 : 0]);
      }
    });
    const people = users.id.map((id, user) => ({
      user, label: label(users.name[user] ?? users.email[user], users.email[user] ? `${users.email[user]}, ${id}` : id),
    }));
    picker("who", people, (target) => {
      const [inFolders, inModels] = ["folders", "models"].map((name) => $(`[data-answer="${name}"]`));
      [inFolders, inModels, $("#answer-who")].forEach((place) => place.replaceChildren());
      if (!target) return;
      const { user } = target;
      const rows = byUser.get(user) ?? [];
      const allowed = d3.sort(rightsOf(user), ([model]) => models[model]).map(([model, set, grant]) => [models[model], sets[set].join(", "), grants[grant]]);
      const sum = (at) => d3.sum(rows, (row) => row[at]);
      const parts = [named(users.name[user] ?? users.email[user]), users.disabled[user] ? " is disabled. The account" : ""];
      if (access.hasFolders) {
        parts.push(` may open ${counted(rows.length, "folder")} with ${counted(sum(4), "dashboard")} and ${counted(sum(5), "look")}, and edit what is in ${numbers.format(rows.filter((row) => row[1] === "edit").length)} of them`);
      }
      if (access.hasRoles) {
        const readable = data_of[user]?.size ?? 0;
        const lookml = d3.sum(lookmlOf, ([model, count]) => (maySee(user, "lookml_dashboard", model) ? count : 0));
        if (lookml) parts.push(`${access.hasFolders ? "; it may" : " may"} see ${counted(lookml, "LookML dashboard")}`);
        parts.push(`${access.hasFolders || lookml ? "; it" : ""} may see data of ${counted(readable, "model")}`);
      }
      tell("#answer-who", [...parts, "."]);
      if (access.hasFolders) {
        show(inFolders, { name: "folders-seen", caption: "Folders that this user may open", columns: [column("folder_path", "Folder"),
          column("level", "Level", "verdict"), column("granted_by", "Granted by"), column("decided_by", "Decided by folder"),
          column("dashboards", "Dashboards", "number"), column("looks", "Looks", "number")] }, rows);
      }
      if (access.hasRoles) {
        show(inModels, { name: "models-seen", caption: "Models, and what this user may do with them",
          columns: [column("model_name", "Model", "code"), column("permissions", "Permissions"), column("granted_by", "Granted by")] }, allowed);
      }
    });
  }

  if (data.lineage) {
    const table = data.tables.lineage;
    const at = Object.fromEntries(table.columns.map((column, place) => [column.name, place]));
    const list = (texts) => texts.slice(0, 12).flatMap((text, place) => [place ? ", " : "", named(text)])
      .concat(texts.length > 12 ? ` and ${texts.length - 12} more` : "");
    const reading = contents.filter(({ place }) => reads[place].length);
    const tablesOf = ({ place }) => new Set(pairs(reads[place]).flatMap(([, set]) => tableSets[set]));
    const readers = tables.map(() => []);
    for (const row of reading) for (const one of tablesOf(row)) readers[one].push(row);
    const below = table.cut ? ` The table below holds only the first ${numbers.format(table.cut)} rows.` : "";
    const narrow = (keeps, sentence, other) => {
      other.value = "";
      shown.lineage.search.fixed("picked", keeps ? (_, row) => keeps(row) : null).draw();
      $("#answer-lineage").replaceChildren(...(keeps ? [element("p", {}, ...sentence, MORE, below)] : []));
    };
    picker("content", reading.map((row) => ({ label: label(row.title, `${CONTENT_KINDS[row.content_type]} ${row.content_id}`), row })), (target) => {
      const row = target?.row;
      const names = row && d3.sort([...tablesOf(row)].map((one) => tables[one]));
      narrow(row && ((one) => one[at.content_id] === row.content_id && one[at.content_type] === row.content_type),
        row && [named(row.title), ` reads ${counted(names.length, "table")} through ${counted(reads[row.place].length / 2, "explore")}`,
          names.length ? ": " : "; which, cannot be told", ...list(names), "."], $('[data-pick="table"]'));
    });
    picker("table", d3.sort(d3.zip(tables, readers), ([name]) => name).map(([name, rows]) => ({ label: short(clean(name)), name, rows })), (target) => {
      const { name, rows } = target ?? {};
      const looks = rows?.filter((row) => row.content_type === "look").length;
      narrow(rows && ((one) => one[at.table_name] === name),
        rows && [`${counted(rows.length - looks, "dashboard")} and ${counted(looks, "look")} read `, named(name), ": ",
          ...list(rows.map((row) => row.title ?? row.content_id)), "."], $('[data-pick="content"]'));
    });
  }

  // ------------------------------------------------------------------------------- theme and print

  const root = document.documentElement;
  const theme = $("#theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const kept = { get: () => { try { return localStorage.getItem("looker-report-theme"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("looker-report-theme", value); } catch { /* a file may not */ } } };
  if (["dark", "light"].includes(kept.get())) root.dataset.theme = kept.get();
  const say = () => { theme.textContent = isDark() ? "Light colors" : "Dark colors"; };
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    kept.set(root.dataset.theme);
    say();
  });
  dark.addEventListener("change", say);
  say();
  $("#print").addEventListener("click", () => window.print());
  theme.hidden = $("#print").hidden = false;

  const links = new Map(all(".page > nav a").map((link) => [link.hash.slice(1), link]));
  const visible = new Set();
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) visible[isIntersecting ? "add" : "delete"](target.id);
    const current = [...links.keys()].find((id) => visible.has(id));
    for (const [id, link] of links) {
      if (id === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }, { rootMargin: "-10% 0px -70% 0px" });
  all("main > section").forEach((section) => watch.observe(section));
  document.body.dataset.ready = "";
})();
