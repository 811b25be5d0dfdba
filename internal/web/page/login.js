// Who may come in: the server says whether it wants a password, and gives a cookie
// for it that scripts cannot read.

const url = path => new URL(path, document.baseURI);

/**
 * Takes the password from #token=... and the address bar's history.
 * @returns {string|null}
 */
export function tokenFromAddress() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const token = parts.get('token');
  if (token === null) return null;
  parts.delete('token');
  const rest = parts.toString();
  history.replaceState(history.state, '', location.pathname + location.search + (rest && '#' + rest));
  return token;
}

/**
 * Asks whether a login is needed.
 * @returns {Promise<{auth: 'needed'|'ok'}>}
 * @throws where the server cannot be reached
 */
export async function session() {
  const r = await fetch(url('session'), { cache: 'no-store', signal: AbortSignal.timeout(15_000) });
  if (!r.ok) throw new Error(`the server answers ${r.status}`);
  return r.json();
}

/**
 * Logs in.
 * @returns {Promise<string>} what to tell the user; '' when it worked
 * @throws where the server cannot be reached
 */
export async function login(password) {
  const r = await fetch(url('login'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ password }),
    signal: AbortSignal.timeout(15_000),
  });
  if (r.ok) return '';
  if (r.status === 401 || r.status === 403) return 'That is not the password.';
  if (r.status === 429) return 'Too many wrong passwords from here. Wait a little, then try again.';
  throw new Error(`the server answers ${r.status}`);
}
