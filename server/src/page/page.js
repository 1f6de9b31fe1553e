// The page of Vesicle: one more client of the public REST API. It polls with ETags, changes nothing on the
// server and draws every metric by its declared kind; nothing here knows an experiment.

const POLL_MS = 1500;
const DRAWN_RUNS = 32; // more lines in one plot tell nothing, and each is a request per metric
const [POINTS, TRACES] = [400, 256]; // rows of a scalar: about one per pixel; elements of a vector
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [320, 150, 46, 8, 8, 20]; // of a plot and its margins
const ARRAYS = { f32: Float32Array, f64: Float64Array, u8: Uint8Array, u32: Uint32Array };
const SVG = new Set(['svg', 'path', 'text', 'circle']);
const [root, main] = [document.documentElement, document.getElementById('main')];

// Whatever goes wrong in here can be read from <html data-errors>.
const note = text => { root.dataset.errors = [root.dataset.errors, text].filter(Boolean).join(' | '); };
addEventListener('error', event => note(event.message ?? `cannot load ${event.target.src ?? event.target.href}`), true);
addEventListener('unhandledrejection', event => note(String(event.reason)));
addEventListener('securitypolicyviolation', event => note(`CSP ${event.violatedDirective} ${event.blockedURI}`));

const answers = new Map(); // path -> {etag, text, body}: the newest answer
const series = new Map(); // run/metric -> {seen, rows}: rows never change, so only newer ones are asked for
let news = true; // whether something arrived that is not drawn yet
class Problem extends Error {} // with a server that cannot answer or does not like the question

async function ask(path, headers = {}) {
  const response = await fetch(`/api/v1${path}`, { cache: 'no-store', headers })
    .catch(() => { throw new Problem('the server cannot be reached; trying again'); });
  if (response.ok || response.status === 304) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Problem(problem.detail ?? `${path} answers ${response.status}`);
}

async function get(path) {
  const known = answers.get(path);
  const response = await ask(path, known?.etag ? { 'If-None-Match': known.etag } : {});
  const text = response.status === 304 ? known.text : await response.text();
  if (text === known?.text) return known.body;
  answers.set(path, { etag: response.headers.get('ETag'), text, body: JSON.parse(text) });
  news = true;
  return answers.get(path).body;
}

/** Brings the rows of a metric up to date. Of images, which are large, and of very many arrays only the last is kept. */
async function follow(run, { name, kind, count }) {
  const [key, seen] = [`${run.id}/${name}`, `${run.step} ${run.updated_at}`];
  const known = series.get(key);
  if (known?.seen === seen) return;
  const all = kind === 'scalar' || (count <= 2 * POINTS && ['vector', 'histogram'].includes(kind));
  const past = all && known?.rows.length < 3 * POINTS ? known.rows : [];
  const from = past.length ? past.at(-1)[0] + 1 : all ? 0 : 'last';
  const answer = await (await ask(`/runs/${run.id}/metrics/${name}?from=${from}&points=${POINTS}`)).json();
  series.set(key, { seen, rows: past.concat(answer.rows.map(([step, value]) => [step, decode(value)])) });
  news = true;
}

function decode(value) {
  if (typeof value === 'number') return value;
  if (value.nonfinite) return { nan: NaN, inf: Infinity, '-inf': -Infinity }[value.nonfinite];
  const bytes = Uint8Array.from(atob(value.data), character => character.charCodeAt(0));
  return { shape: value.shape, values: new ARRAYS[value.dtype](bytes.buffer) };
}

function number(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? 'NaN' : x > 0 ? '∞' : '−∞';
  const [size, digits] = [Math.abs(x), Math.abs(x) >= 1e4 ? 6 : 4];
  const text = size >= 1e9 || (size < 1e-3 && size > 0) ? x.toExponential(2) : x.toLocaleString('en',
    Number.isInteger(x) ? {} : { minimumSignificantDigits: digits, maximumSignificantDigits: digits });
  return text.replaceAll('-', '−');
}
const rowsOf = (run, name) => series.get(`${run.id}/${name}`)?.rows ?? [];
const shown = value => (typeof value === 'string' ? value : JSON.stringify(value) ?? '');
const unitOf = ({ unit }) => (unit && unit !== '1' ? ` ${unit}` : '');
const words = name => name.replaceAll('_', ' ');
const plural = (n, noun) => `${number(n)} ${noun}${n === 1 ? '' : 's'}`;
const time = at => h('time', { datetime: at }, new Date(at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }));
const flat = (params, path = '') => Object.entries(params).flatMap(([key, value]) => (
  value && typeof value === 'object' && !Array.isArray(value) ? flat(value, `${path}${key}.`) : [[path + key, value]]));

/** The parameters in which the runs of a job differ; of each run their values, a name and a colour per point. */
function compare(runs) {
  const all = new Map(runs.map(run => [run.id, Object.fromEntries(flat(run.params))]));
  const value = (run, name) => shown(all.get(run.id)?.[name]);
  const varied = [...new Set([...all.values()].flatMap(Object.keys))]
    .filter(name => runs.some(run => value(run, name) !== value(runs[0], name)));
  const point = run => varied.map(name => `${name} ${value(run, name)}`);
  const points = [...new Set(runs.map(run => point(run).join()))];
  const colour = run => (points.length <= 6 ? `c${points.indexOf(point(run).join())}` : 'c0');
  return { varied, value, colour, label: run => [`run ${run.index}`, ...point(run), `seed ${run.seed}`].join(', ') };
}

/** An element. Text only ever becomes a text node, so nothing from the server is read as markup. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElementNS(`http://www.w3.org/${SVG.has(tag) ? '2000/svg' : '1999/xhtml'}`, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat(Infinity).filter(child => child || child === 0));
  return element;
}

/** Makes `old` like `fresh` with the fewest changes: focus, selection and open details stay. */
function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName || old.nodeName === 'CANVAS') old.replaceWith(fresh);
  else if (old.nodeType === Node.TEXT_NODE) { if (old.data !== fresh.data) old.data = fresh.data; }
  else if (old.nodeName !== 'OUTPUT') { // which belongs to the pointer
    for (const name of new Set([...old.getAttributeNames(), ...fresh.getAttributeNames()])) {
      if (!fresh.hasAttribute(name)) { if (name !== 'open') old.removeAttribute(name); }
      else if (old.getAttribute(name) !== fresh.getAttribute(name)) old.setAttribute(name, fresh.getAttribute(name));
    }
    old.plot = fresh.plot;
    const children = [...fresh.childNodes];
    while (old.childNodes.length > children.length) old.lastChild.remove();
    children.forEach((child, i) => (old.childNodes[i] ? morph(old.childNodes[i], child) : old.append(child)));
  }
}

const heading = (text, aside) => h('h2', {}, `${text} `, h('span', { class: 'soft' }, aside));
const link = (kind, id, text) => h('a', { href: `#/${kind}/${encodeURIComponent(id)}` }, text);
const stateOf = ({ state }) => h('span', { class: `state ${state}` }, state);
const facts = pairs => h('dl', {}, pairs.filter(([, value]) => value || value === 0)
  .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
const table = (label, heads, rows) => h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
  h('table', {}, h('thead', {}, h('tr', {}, heads.map(head => h('th', { scope: 'col' }, head)))),
    h('tbody', {}, rows.map(cells => h('tr', {}, cells.map((cell, i) => h(i ? 'td' : 'th', i ? {} : { scope: 'row' }, cell)))))));

const binary = bytes => (bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`);
const checkpointRow = run => ({ step, attempt, bytes, stored_at: at, score, pinned }) => [
  h('a', { href: `/api/v1/runs/${run.id}/checkpoint?step=${step}`, download: '' }, number(step)), attempt, binary(bytes), time(at),
  [pinned && 'pinned', score !== null && `score ${number(score)}`].filter(Boolean).join(', ')];
const sourceOf = ({ as, run, step }) => h('div', {}, `${as}: `, link('runs', run, `run ${run.slice(0, 13)}`), ` at step ${number(step)}`);
const progress = (state, n, total, label) => h('progress', { class: state, value: n, max: total || 1, 'aria-label': label });
const stepsDone = run => [progress(run.state, run.step, run.steps, 'steps'), `${number(run.step)} of ${number(run.steps)}`];
const runsDone = ({ state, runs: { total, ...counts } }) => [
  progress(state, counts.succeeded + counts.failed + counts.cancelled, total, 'runs that ended'),
  Object.entries(counts).filter(([, n]) => n > 0).map(([name, n]) => `${n} ${name}`).join(', ')];

/** A linear axis from the least to the greatest finite value, with about `count` round ticks. */
function axis(values, from, to, count) {
  let [lo, hi] = [Infinity, -Infinity];
  for (const v of values) if (Number.isFinite(v)) [lo, hi] = [Math.min(lo, v), Math.max(hi, v)];
  if (lo > hi) [lo, hi] = [0, 1];
  if (hi - lo <= 1e-9 * Math.max(-lo, hi)) [lo, hi] = [lo - (Math.abs(lo) / 10 || 1), hi + (Math.abs(hi) / 10 || 1)];
  const power = 10 ** Math.floor(Math.log10((hi - lo) / count));
  const gap = ([1, 2, 5].find(f => f * power >= 0.8 * (hi - lo) / count) ?? 10) * power;
  const digits = Math.min(20, Math.max(0, -Math.floor(Math.log10(gap) + 1e-9)));
  const long = digits > 4 || Math.max(-lo, hi) >= 1e6;
  const text = v => (long ? v.toExponential(1) : v.toLocaleString('en', { minimumFractionDigits: digits })).replace(/-/g, '−');
  const ticks = [];
  for (let i = Math.ceil(lo / gap - 1e-9); i * gap <= hi + gap * 1e-9; i++) ticks.push([i * gap, text(i * gap || 0)]);
  return { at: v => Math.round(10 * (from + (to - from) * (v - lo) / (hi - lo))) / 10, ticks };
}

/** Lines {rows: [[x, y]], kind, label}, bars [[x0, x1, y]], more of them beside, and events [[x, y]] on the same axes; and how
    much of them there is to see. */
function plot(label, { lines, bars = [], beside = [], events = [], xs = [], xName = 'step', unit = '' }) {
  const corners = [...lines.flatMap(line => line.rows), ...events, ...[...bars, ...beside].flatMap(([a, b, n]) => [[a, 0], [b, n]])];
  const x = axis([...corners.map(p => p[0]), ...xs], LEFT, WIDTH - RIGHT, 4);
  const y = axis(corners.map(p => p[1]), HEIGHT - BOTTOM, TOP, 4);
  const path = rows => rows.map(([at, v], i) => Number.isFinite(v)
    && `${i && Number.isFinite(rows[i - 1][1]) ? '' : `M${x.at(at)} ${y.at(v)}`}L${x.at(at)} ${y.at(v)}`).filter(Boolean).join('');
  const own = lines.filter(line => line.kind !== 'ghost');
  const finite = own.flatMap(({ rows }) => rows.filter(([, v]) => Number.isFinite(v)));
  const odd = own.flatMap(({ rows }) => rows.filter(([, v], i) => !Number.isFinite(v) && !Object.is(v, rows[i - 1]?.[1])));
  const ends = own.length === 1 ? finite.slice(-1) : own.filter(({ rows }) => rows.length === 1).map(({ rows }) => rows[0]);
  const text = (at, up, anchor, words) => h('text', { x: at, y: up, 'text-anchor': anchor }, words);
  const svg = h('svg', { class: 'plot', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label },
    y.ticks.map(([v, mark]) => [h('path', { class: 'grid', d: `M${LEFT} ${y.at(v)}H${WIDTH - RIGHT}` }),
      text(LEFT - 6, y.at(v) + 4, 'end', mark)]),
    x.ticks.map(([v, mark]) => text(x.at(v), HEIGHT - 4, x.at(v) > WIDTH - 25 ? 'end' : 'middle', mark)),
    text(0, HEIGHT - 4, 'start', xName),
    [['bars', bars], ['bars beside', beside]].map(([kind, some]) => h('path', { class: kind,
      d: some.map(([a, b, n]) => `M${x.at(a)} ${y.at(0)}V${y.at(n)}H${x.at(b)}V${y.at(0)}Z`).join('') })),
    h('path', { class: 'events', d: events.map(([at, v]) => `M${x.at(at)} ${y.at(v) - 2}v4`).join('') }),
    lines.map(({ rows, kind = '' }) => h('path', { class: `line ${kind}`, d: path(rows) })),
    ends.filter(([, v]) => Number.isFinite(v)).map(([at, v]) => h('circle', { cx: x.at(at), cy: y.at(v), r: 2.5 })),
    odd.map(([at, v]) => h('text', { class: 'failed', x: x.at(at), y: v > 0 ? TOP + 4 : HEIGHT - BOTTOM }, number(v))));
  svg.plot = { x, y, lines, xName, unit };
  return [h('div', { class: 'stage' }, svg, h('output')), finite.length + bars.length + beside.length + events.length];
}

/** Says what is nearest to the pointer, and sets its line off. */
function readOut({ target, clientX, clientY }) {
  const svg = target.closest?.('svg.plot');
  document.querySelectorAll('.near, output').forEach(old => { old.classList.remove('near'); old.textContent = ''; });
  if (!svg?.plot) return;
  const [{ x, y, lines, xName, unit }, box] = [svg.plot, svg.getBoundingClientRect()];
  const [px, py] = [clientX - box.left, clientY - box.top].map(at => at * WIDTH / box.width);
  let best = { far: Infinity };
  lines.forEach(({ rows, label }, i) => rows.forEach(([at, v]) => {
    const far = 3 * Math.abs(x.at(at) - px) + Math.abs(y.at(v) - py);
    if (far < best.far) best = { far, i, text: `${label ? `${label} · ` : ''}${xName} ${number(at)}: ${number(v)}${unit}` };
  }));
  svg.querySelectorAll('.line')[best.i]?.classList.add('near');
  svg.nextElementSibling.textContent = best.text ?? '';
}

/** Numbers as pixels on one scale: paper is 0, full ink the greatest size; two colours where signs differ. */
function pixels(metric, [n, rows, cols], values) {
  const size = wide => [wide * (cols + 1) - 1, Math.ceil(n / wide) * (rows + 1) - 1]; // a pixel between tiles
  const zoom = ([wide, high]) => Math.max(1, Math.floor(Math.min(WIDTH / wide, 240 / high)));
  let [across, drawn] = [1, 0];
  for (let i = 2; i <= n && size(i)[0] <= WIDTH; i++) if (zoom(size(i)) >= zoom(size(across))) across = i;
  const [width, height] = size(across);
  const canvas = h('canvas', { width, height, role: 'img',
    'aria-label': `${words(metric.name)}: ${plural(n, 'image')} of ${rows} by ${cols}` });
  canvas.style.width = `${width * zoom([width, height])}px`;
  const colour = name => getComputedStyle(root).getPropertyValue(name).match(/\w\w/g).map(x => parseInt(x, 16));
  const [paper, ink, minus, plus] = ['--paper', '--ink', '--c0', '--c1'].map(colour);
  const [signed, image] = [values.some(v => v < 0), new ImageData(width, height)];
  const most = values.reduce((max, v) => (Number.isFinite(v) ? Math.max(max, Math.abs(v)) : max), 0);
  for (let i = 0; i < Math.ceil(n / across) * across * rows * cols; i++) { // places that are left over are paper
    const [v, tile, row, col] = [values[i] ?? 0, Math.floor(i / (rows * cols)), Math.floor(i / cols) % rows, i % cols];
    const level = Number.isFinite(v) ? Math.abs(v) / (most || 1) : 1;
    const pole = Number.isNaN(v) ? [255, 0, 255] : v < 0 ? minus : signed ? plus : ink;
    const at = (Math.floor(tile / across) * (rows + 1) + row) * width + (tile % across) * (cols + 1) + col;
    image.data.set([...paper.map((p, k) => p + level * (pole[k] - p)), 255], 4 * at);
    drawn += level > 1 / 255;
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
  const key = (kind, v) => [h('span', { class: kind }, '■ '), number(v) + unitOf(metric), '\u2003'];
  return [[canvas, h('p', { class: 'soft' }, signed && key('c0', -most), key(signed ? 'c1' : '', most), '□ 0')], drawn];
}

/** Every element of a vector over the steps, or of a single vector by index. */
function vector(metric, rows, run) {
  const last = [...rows.at(-1)[1].values];
  const [label, unit] = [`${words(metric.name)}: ${plural(last.length, 'element')}`, unitOf(metric)];
  if (rows.length === 1) return plot(label, { lines: [{ rows: last.map((v, i) => [i, v]) }], xName: 'index', unit });
  const few = [...last.keys()].filter(i => i % Math.ceil(last.length / TRACES) === 0);
  const traces = few.map(i => ({ kind: few.length > 16 ? 'trace' : 'many', label: `[${i}]`,
    rows: rows.map(([step, { values }]) => [step, values[i]]) }));
  return plot(label, { lines: traces, xs: [0, run.steps], unit });
}

/** Counts of the last step as bars, those of the first as a line. */
function histogram(metric, { shape: [, n], values }, first) {
  const bins = v => [...v.slice(0, n - 1)].map((edge, i) => [edge, v[i + 1], v[n + i]]);
  const rows = bins(first.values).flatMap(([a, b, count]) => [[a, count], [b, count]]);
  return plot(`${words(metric.name)}: counts in ${n - 1} bins`,
    { lines: [{ rows, kind: 'ghost', label: 'first step' }], bars: bins(values), xName: unitOf(metric).trim() || 'value' });
}

/** Events of units over time. */
const raster = (metric, { shape: [, n], values }) => plot(`${words(metric.name)}: ${plural(n, 'event')}`,
  { lines: [], events: [...values.slice(0, n)].map((ms, i) => [ms, values[n + i]]), xName: 'ms' });

/** Two rows bar by bar, the first filled; a further row would be a line. */
function compared(metric, { shape: [rows, n], values }) {
  const wide = 0.8 / Math.min(rows, 2);
  const row = r => [...values.slice(r * n, (r + 1) * n)];
  const place = r => (r < rows ? row(r).map((v, i) => [i - 0.4 + r * wide, i - 0.4 + (r + 1) * wide, v]) : []);
  const lines = [...Array(rows).keys()].slice(2).map(r => ({ rows: row(r).map((v, i) => [i, v]), label: `row ${r}` }));
  return plot(`${words(metric.name)}: ${plural(rows, 'row')} of ${plural(n, 'bar')}`,
    { lines, bars: place(0), beside: place(1), xName: 'index', unit: unitOf(metric) });
}

const figure = (metric, last, [body, drawn] = ['', 0]) => h('figure',
  { 'data-metric': metric.name, 'data-kind': metric.kind, 'data-drawn': drawn }, h('figcaption', {},
    h('h3', {}, words(metric.name)), h('span', {}, last), h('p', {}, metric.meaning)), body);
const scalar = (metric, lines, runs) => plot(`${words(metric.name)} over steps`,
  { lines, xs: [0, ...runs.map(run => run.steps)], unit: unitOf(metric) });

/** A metric of a run, by its kind; whatever is neither lines nor bars is an image. */
function figureOf(metric, run, others) {
  const rows = rowsOf(run, metric.name);
  if (rows.length === 0) return figure(metric, h('span', { class: 'soft' }, 'no value'));
  const [step, value] = rows.at(-1);
  const lines = others.map(other => ({ kind: 'ghost', label: `run ${other.index}`, rows: rowsOf(other, metric.name) }));
  if (metric.kind === 'scalar') return figure(metric, number(value) + unitOf(metric), scalar(metric, [...lines, { rows }], [run]));
  const tiles = { 1: [1, 1], 2: [1], 3: [] }[value.shape.length].concat(value.shape);
  return figure(metric, `step ${number(step)}`, metric.kind === 'vector' ? vector(metric, rows, run)
    : metric.kind === 'histogram' ? histogram(metric, value, rows[0][1])
      : metric.kind === 'raster' ? raster(metric, value)
        : metric.kind === 'bars' ? compared(metric, value) : pixels(metric, tiles, value.values));
}

async function followScalars(runs, metrics) {
  const scalars = run => metrics.filter(({ name, kind }) => kind === 'scalar' && name in run.scalars);
  for (const run of runs) await Promise.all(scalars(run).map(metric => follow(run, metric)));
}

async function loadJobs() {
  const [{ jobs, next_cursor: more }, { workers }] = await Promise.all([get('/jobs?limit=200'), get('/workers')]);
  const live = workers.filter(worker => worker.live).length;
  return () => [h('h1', {}, 'Jobs'), h('p', { class: 'soft' }, live ? plural(live, 'worker') : 'no worker: jobs wait until one comes',
    more && '; the newest 200 jobs'),
  jobs.length > 0 ? table('Jobs, newest first', ['job', 'experiment', 'state', 'runs', 'submitted'], jobs.map(job => [
    link('jobs', job.id, job.name ?? job.id.slice(0, 13)), `${job.experiment} v${job.version}`, stateOf(job), runsDone(job),
    time(job.created_at)]))
    : h('pre', {}, `curl ${location.origin}/api/v1/jobs \\\n  --json '{"experiment": "NAME", "seeds": {"from": 1, "count": 3}}'`)];
}

async function loadJob(id, show) {
  const [job, { runs, next_cursor: more }] = await Promise.all([get(`/jobs/${id}`), get(`/jobs/${id}/runs?limit=500`)]);
  const [begun, some, differ] = [runs.find(run => Object.keys(run.scalars).length), runs.slice(0, DRAWN_RUNS), compare(runs)];
  const metrics = begun ? (await get(`/runs/${begun.id}/metrics`)).metrics.filter(({ kind }) => kind === 'scalar') : [];
  const overlay = metric => figure(metric, unitOf(metric), scalar(metric, some.map(run => (
    { kind: `many ${differ.colour(run)}`, label: differ.label(run), rows: rowsOf(run, metric.name) })), some));
  const draw = () => [h('h1', {}, job.name ?? job.experiment), facts([['state', stateOf(job)], ['runs', runsDone(job)],
    ['experiment', h('a', { href: `/api/v1/experiments/${encodeURIComponent(job.experiment)}` }, `${job.experiment} v${job.version}`)],
    ['data set', job.spec.dataset ?? job.dataset], ['builds on', job.from.length > 0 && job.from.map(sourceOf)], ['submitted', time(job.created_at)], ['ended', job.ended_at && time(job.ended_at)]]),
  h('details', {}, h('summary', {}, 'as submitted'), h('pre', {}, JSON.stringify(job.spec, null, 2))),
  heading('Metrics', metrics.length === 0 ? 'none yet' : some.length < runs.length && `of the first ${some.length} runs`),
  h('div', { class: 'plots' }, metrics.map(metric => (runs.length > 1 ? overlay(metric) : figureOf(metric, begun, [])))),
  heading('Runs', more && 'the first 500'), table('Runs',
    ['run', 'state', 'steps', ...differ.varied, 'seed', ...metrics.map(m => words(m.name) + unitOf(m).replace(' ', ', '))],
    runs.map(run => [[h('svg', { class: 'key' }, h('path', { class: `line ${differ.colour(run)}`, d: 'M0 5H14' })),
      link('runs', run.id, `run ${run.index}`)], stateOf(run), stepsDone(run), ...differ.varied.map(name => differ.value(run, name)),
    run.seed, ...metrics.map(({ name }) => (name in run.scalars ? number(decode(run.scalars[name])) : ''))]))];
  show(draw);
  await followScalars(some, metrics);
  return draw;
}

async function loadRun(id, show) {
  const [run, { metrics }, { checkpoints }] = await Promise.all(['', '/metrics', '/checkpoints'].map(of => get(`/runs/${id}${of}`)));
  const [job, { runs }] = await Promise.all([get(`/jobs/${run.job_id}`), get(`/jobs/${run.job_id}/runs?limit=500`)]);
  const others = runs.filter(other => other.id !== id).slice(0, DRAWN_RUNS);
  const draw = () => [h('p', {}, link('jobs', job.id, job.name ?? job.experiment)), h('h1', {}, `Run ${run.index}`),
    facts([['state', stateOf(run)], ['steps', stepsDone(run)], ['seed', run.seed], ['attempt', run.attempt],
      ['checkpoint', run.checkpoint_step !== null && `step ${number(run.checkpoint_step)}`],
      ['planned memory', binary(run.memory_bytes)], ['changed', time(run.updated_at)],
      ['waits for', run.waiting_for], ['digest', run.digest]]),
    run.failure && h('div', { class: 'failure' }, h('p', {}, h('strong', {}, run.failure.class)), h('p', {}, run.failure.message)),
    heading('Metrics', metrics.length === 0 ? 'none yet' : others.length > 0 && 'in grey the other runs of the job'),
    h('div', { class: 'plots' }, metrics.map(metric => figureOf(metric, run, others))),
    heading('Checkpoints', checkpoints.length === 0 ? 'none' : 'that are kept, newest first'),
    checkpoints.length > 0 && table('Checkpoints', ['step', 'attempt', 'size', 'stored', ''], checkpoints.map(checkpointRow(run))),
    heading('Parameters'), facts(flat(run.params).map(([name, value]) => [name, shown(value)]))];
  await Promise.all(metrics.map(metric => follow(run, metric)));
  show(draw);
  await followScalars(others, metrics);
  return draw;
}

let [turn, timer, drawn] = [0]; // number of the load, so that none draws over a newer one; next load; what is shown

function show(where, draw) {
  if (!news && drawn === where) return;
  const fresh = h('div', {}, draw());
  if (drawn === where) morph(main.firstElementChild, fresh);
  else main.replaceChildren(fresh);
  [news, drawn] = [false, where];
  document.title = `${main.querySelector('h1').textContent} · Vesicle`;
}

async function tick() {
  clearTimeout(timer);
  if (document.hidden) return;
  const [where, mine] = [location.hash, turn += 1];
  const [, kind, id] = where.split('/');
  const draw = how => mine === turn && show(where, how);
  let trouble = '';
  try {
    draw(await ({ jobs: loadJob, runs: loadRun }[kind] ?? loadJobs)(id, draw));
  } catch (problem) {
    if (!(problem instanceof Problem)) note(problem.stack);
    trouble = problem.message;
  }
  if (mine !== turn) return;
  if (drawn !== where) drawn = main.replaceChildren(); // nothing of what was shown before belongs here
  document.getElementById('status').textContent = trouble;
  timer = setTimeout(tick, POLL_MS);
}

addEventListener('hashchange', () => { main.focus(); tick(); });
document.addEventListener('visibilitychange', tick);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { news = true; tick(); });
addEventListener('pointermove', readOut);
tick();
