// Emoji by their Slack names, as far as people use them here.

const EMOJI = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", eyes: "👀", white_check_mark: "✅",
  heavy_check_mark: "✔️", x: "❌", warning: "⚠️", tada: "🎉", heart: "❤️", smile: "😄", slightly_smiling_face: "🙂",
  thinking_face: "🤔", pray: "🙏", clap: "👏", rocket: "🚀", bulb: "💡", memo: "📝", pencil2: "✏️", books: "📚",
  book: "📖", page_facing_up: "📄", mag: "🔍", link: "🔗", lock: "🔒", bell: "🔔", hourglass: "⌛", hourglass_flowing_sand: "⏳",
  stopwatch: "⏱️", calendar: "📅", chart_with_upwards_trend: "📈", bar_chart: "📊", robot_face: "🤖", wave: "👋",
  raised_hands: "🙌", muscle: "💪", fire: "🔥", star: "⭐", sparkles: "✨", question: "❓", exclamation: "❗",
  speech_balloon: "💬", arrow_right: "➡️", arrows_counterclockwise: "🔄", recycle: "♻️", no_entry: "⛔", thread: "🧵",
  scissors: "✂️", mountain: "⛰️", snowflake: "❄️", coffee: "☕", hammer_and_wrench: "🛠️", gear: "⚙️", trophy: "🏆",
  green_heart: "💚", large_green_circle: "🟢", large_yellow_circle: "🟡", red_circle: "🔴", white_circle: "⚪",
};

/** Those offered under every message. */
export const QUICK = ["+1", "white_check_mark", "eyes", "heart", "tada"];

/** The emoji of a name, or the name between colons if it is not known. */
export const emoji = (name) => EMOJI[name.replace(/::skin-tone-\d$/, "")] ?? `:${name}:`;
export const isKnown = (name) => name in EMOJI;
