/**
 * What the page asks the daemon: JSON by GET, commands by POST with the token, and two streams that come again by themselves.
 * The token is kept in this tab only, and never in an address.
 */
import { byId } from './format.js'

const TOKEN = 'grapevine-token'

/** @param {string} path */
export async function read(path) {
  const response = await fetch(path)
  if (!response.ok) throw new Error((await response.json()).error.message)
  return response.json()
}

/**
 * Follows a stream; `lost` is told when the connection breaks (true) and when it is back (false).
 * @param {string} path
 * @param {Record<string, (data: any) => void>} handlers
 * @param {(lost: boolean) => void} [lost]
 * @returns {() => void} closes it
 */
export function follow(path, handlers, lost = () => undefined) {
  const source = new EventSource(path)
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (message) => handle(JSON.parse(/** @type {MessageEvent} */ (message).data)))
  }
  source.onopen = () => lost(false)
  source.onerror = () => lost(true)
  return () => source.close()
}

/**
 * Sends a command; asks for the token where it is not known or no longer right. False: the person thought better of it.
 * @param {string} name
 * @param {Record<string, string>} [body]
 */
export async function command(name, body = {}) {
  let token = sessionStorage.getItem(TOKEN) ?? (await askToken())
  while (token !== null) {
    const response = await fetch(`/api/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    })
    const answer = await response.json()
    if (response.ok) {
      sessionStorage.setItem(TOKEN, token)
      return true
    }
    sessionStorage.removeItem(TOKEN)
    if (response.status !== 401) throw new Error(answer.error.message)
    token = await askToken('This token is not the one; it changes with every start of the daemon.')
  }
  return false
}

/** @param {string} [wrong] */
async function askToken(wrong) {
  const field = /** @type {HTMLInputElement} */ (byId('token'))
  field.value = ''
  field.setCustomValidity('')
  if (wrong !== undefined) byId('token-title').textContent = wrong
  const answer = await ask('token-dialog')
  byId('token-title').textContent = 'Token'
  const token = field.value.trim()
  field.value = ''
  return answer === 'ok' && token !== '' ? token : null
}

/** @param {string} question */
export async function sure(question) {
  byId('ask-text').textContent = question
  return (await ask('ask-dialog')) === 'ok'
}

/** @param {string} id */
function ask(id) {
  const dialog = /** @type {HTMLDialogElement} */ (byId(id))
  dialog.returnValue = 'cancel'
  dialog.showModal()
  return new Promise((done) => dialog.addEventListener('close', () => done(dialog.returnValue), { once: true }))
}
