/**
 * The dialog of contacts: a list that is filtered while typing, a form for one contact, and the import of a file. Opened by the event
 * `earshot-contacts`. The server checks and stores what is entered; `show` passes the list.
 *
 * @typedef {object} Contact
 * @property {string} number in E.164
 * @property {string} written as people write it
 * @property {string} name
 * @property {string} note
 */
import { fill } from "fill";
import { defineComponent } from "vue";

const MOST = 200; // rows at once
const LARGEST = 900_000; // characters of a file; a message of the page may have a million bytes
const PICTURE = /^(?:item\d+\.)?(?:PHOTO|LOGO|KEY|SOUND)[;:].*(?:\r?\n[ \t].*)*\r?\n/gim; // of a vCard

export default defineComponent({
  template: `
    <dialog ref="dialog" class="dialog contacts" data-testid="contacts-dialog" :aria-label="words.title" @click.self="close">
      <h2>{{ words.title }}</h2>
      <form class="contact-form" @submit.prevent="save">
        <input ref="name" v-model="name" class="line" autocomplete="off" maxlength="100" :placeholder="words.name" :aria-label="words.name">
        <input v-model="number" class="line" type="tel" autocomplete="off" maxlength="64" :placeholder="words.number" :aria-label="words.number">
        <input v-model="note" class="line" autocomplete="off" maxlength="500" :placeholder="words.note" :aria-label="words.note">
        <button type="submit" class="btn small">{{ changes ? words.change : words.add }}</button>
        <button v-if="changes" type="button" class="btn small" @click="clear">{{ words.cancel }}</button>
      </form>
      <p v-if="problem" class="problem" role="alert">{{ problem }}</p>
      <p v-if="told" class="told" role="status">{{ told }}</p>
      <div class="contact-tools">
        <input v-model="text" type="search" class="line" :placeholder="words.search" :aria-label="words.search">
        <button type="button" class="btn small" @click="$refs.file.click()">{{ words.import }}</button>
        <input ref="file" type="file" hidden :aria-label="words.import" accept=".csv,.vcf,.txt,text/csv,text/vcard" @change="read">
      </div>
      <ul class="contact-list">
        <li v-for="contact in found.slice(0, MOST)" :key="contact.number">
          <div><b>{{ contact.name }}</b><span>{{ contact.written }}</span><small v-if="contact.note">{{ contact.note }}</small></div>
          <button type="button" class="btn small" :aria-label="say('use', contact)" @click="use(contact)">{{ words.useShort }}</button>
          <button type="button" class="btn small" :aria-label="say('edit', contact)" @click="edit(contact)">{{ words.editShort }}</button>
          <button type="button" class="btn small" :aria-label="say('remove', contact)" @click="ask(contact)">{{ words.removeShort }}</button>
          <div v-if="sure === contact.number" class="sure-contact" role="group" :aria-label="say('remove', contact)">
            <p>{{ words.removeMeans }}</p>
            <button type="button" class="btn small" @click="remove(contact, false)">{{ words.removeContact }}</button>
            <button type="button" class="btn small end" @click="remove(contact, true)">{{ words.removeAll }}</button>
            <button ref="keep" type="button" class="btn small" @click="sure = ''">{{ words.keep }}</button>
          </div>
        </li>
      </ul>
      <p v-if="!found.length" class="nothing">{{ contacts.length ? words.noneFound : words.none }}</p>
      <form method="dialog" class="answers"><button class="btn">{{ words.close }}</button></form>
    </dialog>`,
  props: { words: { type: Object, required: true } },
  emits: ["opened", "save", "remove", "import", "use"],

  data() {
    return {
      MOST,
      contacts: /** @type {Contact[]} */ ([]),
      text: "",
      name: "",
      number: "",
      note: "",
      changes: "", // the number of the contact that is being changed
      sure: "", // the number of the contact that is to be deleted, once that is confirmed
      problem: "",
      told: "",
    };
  },

  computed: {
    /** @returns {Contact[]} */
    found() {
      const wanted = plain(this.text).split(/\s+/).filter(Boolean);
      return this.contacts.filter(({ name, number, written, note }) => {
        const all = plain(`${name} ${number} ${written} ${note}`);
        return wanted.every((word) => all.includes(word));
      });
    },
  },

  mounted() {
    document.addEventListener("earshot-contacts", this.open);
  },

  beforeUnmount() {
    document.removeEventListener("earshot-contacts", this.open);
  },

  methods: {
    open() {
      this.clear();
      this.text = this.told = this.sure = "";
      this.$emit("opened");
      this.dialog().showModal();
      /** @type {HTMLElement} */ (this.$refs.name).focus();
    },

    close() {
      this.dialog().close();
    },

    dialog() {
      return /** @type {HTMLDialogElement} */ (this.$refs.dialog);
    },

    clear() {
      this.name = this.number = this.note = this.changes = this.problem = "";
    },

    /**
     * What the server has now, and what it says about the last request.
     * @param {Contact[]} contacts
     * @param {{problem?: string, told?: string}} [answer]
     */
    show(contacts, { problem = "", told = "" } = {}) {
      this.contacts = contacts;
      if (told) {
        this.clear();
        /** @type {HTMLElement} */ (this.$refs.name).focus();
      }
      if (told || problem) Object.assign(this, { told, problem });
    },

    /** @param {string} key @param {Contact} contact */
    say(key, { name }) {
      return fill(this.words[key], { name });
    },

    save() {
      this.told = "";
      const { name, number, note, changes } = this;
      this.$emit("save", { name, number, note, changes });
    },

    /** @param {Contact} contact */
    edit({ name, written, note, number }) {
      Object.assign(this, { name, number: written, note, changes: number, problem: "", told: "" });
      /** @type {HTMLElement} */ (this.$refs.name).focus();
    },

    /** @param {Contact} contact */
    use({ number }) {
      this.close();
      this.$emit("use", number);
    },

    /** @param {Contact} contact */
    ask({ number }) {
      this.sure = number;
      this.told = this.problem = "";
      this.$nextTick(() => /** @type {HTMLElement[]} */ (this.$refs.keep)[0]?.focus());
    },

    /**
     * @param {Contact} contact
     * @param {boolean} calls the data of its calls goes too
     */
    remove({ number }, calls) {
      this.sure = "";
      this.$emit("remove", { number, calls });
      /** @type {HTMLElement} */ (this.$refs.name).focus();
    },

    async read() {
      const input = /** @type {HTMLInputElement} */ (this.$refs.file);
      const file = input.files?.[0];
      if (!file) return;
      this.told = this.problem = "";
      const text = (await file.text()).replace(PICTURE, "");
      input.value = ""; // so that the same file can be chosen again
      if (text.length > LARGEST) this.problem = this.words.tooLarge;
      else this.$emit("import", text);
    },
  },
});

/** @param {string} text */
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
