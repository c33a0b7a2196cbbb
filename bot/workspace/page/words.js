// What the page itself says, in the language of whoever looks: t`1 reply`, t`Write in #${name}`.

import { store } from "/page/live.js";

const NORWEGIAN = {
  "Today": "I dag", "Yesterday": "I går", "1 reply": "1 svar", "{} replies": "{} svar", "Last at {}": "Sist kl. {}",
  "{} is writing…": "{} skriver …", "{} is working…": "{} arbeider …", "Stop": "Stopp", "Stopped.": "Stoppet.", "(edited)": "(redigert)",
  "Only visible to you": "Bare synlig for deg", "still writing": "skriver fortsatt", "{} reacted with :{}:": "{} reagerte med :{}:",
  "What to do with this message": "Hva du kan gjøre med meldingen", "React": "Reager", "Reply in thread": "Svar i tråd", "More": "Mer",
  "Copy text": "Kopier tekst", "Copy link": "Kopier lenke", "Copied.": "Kopiert.",
  "Write to {}": "Skriv til {}", "Write in #{}": "Skriv i #{}", "You are looking at #{}.": "Du ser på #{}.", "Join": "Bli med",
  "1 member": "1 medlem", "{} members": "{} medlemmer", "Messages in {}": "Meldinger i {}", "Messages in this thread": "Meldinger i tråden",
  "Open the menu": "Åpne menyen", "Close the menu": "Lukk menyen", "App": "App", "Home": "Hjem", "Messages": "Meldinger", "{} Home": "{} Hjem",
  "Try one of these": "Prøv en av disse", "Thread": "Tråd", "Close the thread": "Lukk tråden", "Reply…": "Svar …",
  "{} is getting its Home ready…": "{} gjør Hjem klart …", "{} is not connected, so there is nothing here yet.": "{} er ikke koblet til, så her er det ingenting ennå.",
  "{} is not connected. What you write waits for it.": "{} er ikke koblet til. Det du skriver, venter.",
  "You are": "Du er", "Channels": "Kanaler", "unread": "uleste", "connected": "koblet til", "not connected": "ikke koblet til",
  "employee": "ansatt", "expert": "ekspert", "admin": "administrator", "guest": "gjest", "app": "app",
  "Suggestions": "Forslag", "Send": "Send", "Send (Enter)": "Send (Enter)", "Mention {}": "Nevn {}", "Commands": "Kommandoer",
  "Enter to send, Shift+Enter for a new line": "Enter sender, Shift+Enter gir ny linje", "Commands do not work in threads.": "Kommandoer virker ikke i tråder.",
  "Back": "Tilbake", "Close": "Lukk", "Cancel": "Avbryt", "(optional)": "(valgfritt)", "Choose…": "Velg …", "Are you sure?": "Er du sikker?", "Yes": "Ja",
  "Was this answer helpful?": "Var svaret til hjelp?", "Choices": "Valg",
  "We had some trouble connecting. Try again?": "Vi fikk ikke kontakt. Prøve igjen?",
  "The workspace does not answer.": "Arbeidsområdet svarer ikke.", "There is no such command.": "Det finnes ingen slik kommando.",
  "That did not work: the app is not connected.": "Det gikk ikke: appen er ikke koblet til.",
  "That did not work: the app did not answer in time.": "Det gikk ikke: appen svarte ikke i tide.",
};

/** The language of whoever looks, as a browser names it. */
export const language = () => (/^(nb|nn|no)\b/.test(store.rest?.locale ?? "") ? "nb" : "en-GB");

/** A sentence of the page in that language. */
export function t(parts, ...values) {
  const sentence = parts.join("{}");
  const told = language() === "nb" ? NORWEGIAN[sentence] ?? sentence : sentence;
  let n = 0;
  return told.replace(/\{\}/g, () => String(values[n++]));
}

/** A role of somebody's, or a sentence of the workspace's, in that language. */
export const known = (text) => t([text]);
