/**
 * Plays through a sound device that the user chose: by the context's own `setSinkId` (Chromium), else through an `<audio>` element that has
 * one (Firefox, Safari), which adds some delay. A device that is gone is replaced by the system's own until it is back. Loaded only if
 * somebody chooses.
 *
 * @typedef {{id: string, label: string}} Device
 * @typedef {import("./live_playout.js").DeviceUse} DeviceUse
 */
const ANSWER_MS = 3000; // a sound server that has not answered by then will not

const byContext = "setSinkId" in (globalThis.AudioContext?.prototype ?? {});
const byElement = "setSinkId" in HTMLMediaElement.prototype;

/** True where the browser plays through another device than the system's own. */
export const canChoose = (byContext || byElement) && Boolean(navigator.mediaDevices?.enumerateDevices);

/** True where the browser itself has the user pick a device. */
export const canPick = Boolean(navigator.mediaDevices?.selectAudioOutput);

/**
 * The devices that the browser names without asking the user: none, before `ask` was granted once.
 * @returns {Promise<Device[]>}
 */
export async function known() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter(({ kind, deviceId, label }) => kind === "audiooutput" && deviceId && deviceId !== "default" && label)
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}

/**
 * Has the browser ask the user. Call it in a click. Firefox lets the user pick a device. Others name their devices only to pages that may use
 * the microphone: it is asked for and released at once.
 * @returns {Promise<string|null>} the id of the device that was picked; null: pick one of `known()`
 */
export async function ask() {
  const { mediaDevices } = navigator;
  if (canPick) return (await mediaDevices.selectAudioOutput()).deviceId;
  const stream = await mediaDevices.getUserMedia({ audio: true });
  for (const track of stream.getTracks()) track.stop();
  return null;
}

export class OutputDevice {
  #context;
  #node;
  #onDevice;
  #wanted = "";
  #used = "";
  #connected = false;
  /** @type {HTMLAudioElement|null} */
  #element = null;
  /** @type {Promise<void>} */
  #before = Promise.resolve();
  #look = () => this.#lookAgain().catch((error) => console.warn("The sound devices could not be listed:", error));

  /**
   * @param {AudioContext} context
   * @param {AudioNode} node connected here
   * @param {(use: DeviceUse) => void} onDevice
   */
  constructor(context, node, onDevice) {
    this.#context = context;
    this.#node = node;
    this.#onDevice = onDevice;
    navigator.mediaDevices.addEventListener("devicechange", this.#look);
  }

  /**
   * Resolves when the device plays, or the system's own in its place. One call after the other.
   * @param {string} id
   */
  use(id) {
    this.#before = this.#before.then(() => this.#use(id));
    return this.#before;
  }

  release() {
    navigator.mediaDevices.removeEventListener("devicechange", this.#look);
    this.#dropElement();
  }

  /** @param {string} id */
  async #use(id) {
    this.#wanted = id;
    try {
      await this.#send(id);
      this.#used = id;
    } catch (error) {
      console.warn("The sound device can't be used:", error);
      this.#used = "";
      await this.#send("");
    }
    this.#onDevice({ device: this.#used, missing: this.#used !== id });
  }

  /** The devices have changed. */
  async #lookAgain() {
    if (!this.#wanted) return;
    const devices = await navigator.mediaDevices.enumerateDevices();
    const present = devices.some(({ kind, deviceId }) => kind === "audiooutput" && deviceId === this.#wanted);
    if (present !== (this.#used === this.#wanted)) await this.use(this.#wanted);
  }

  /**
   * Connects the node to the device.
   * @param {string} id
   */
  async #send(id) {
    if (byContext) {
      await inTime(/** @type {any} */ (this.#context).setSinkId(id));
    } else if (id) {
      await this.#sendToElement(id);
      this.#connected = false;
      return;
    }
    if (this.#connected) return;
    this.#node.disconnect();
    this.#node.connect(this.#context.destination);
    this.#connected = true;
    this.#dropElement();
  }

  /** @param {string} id */
  async #sendToElement(id) {
    const element = new Audio();
    await inTime(/** @type {any} */ (element).setSinkId(id));
    const target = this.#context.createMediaStreamDestination();
    element.srcObject = target.stream;
    this.#node.disconnect();
    this.#node.connect(target);
    this.#dropElement();
    this.#element = element;
    await inTime(element.play());
  }

  #dropElement() {
    if (this.#element) this.#element.srcObject = null;
    this.#element = null;
  }
}

/**
 * @template T
 * @param {Promise<T>} answer
 * @returns {Promise<T>}
 */
function inTime(answer) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), ANSWER_MS));
  return Promise.race([answer, late]);
}
