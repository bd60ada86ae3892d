// Says before a session ends, lets it go on, and leaves what was written where it is.
const notice = document.getElementById("session-end");
const WARNED_S = 120;

function watchSession() {
  const words = notice.querySelector("p");
  const stay = notice.querySelector("button");
  let endsAt, isFinal, timer;

  const language = `${document.documentElement.lang}-u-nu-latn`;
  const at = (instant) => new Date(instant).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
  const say = (text, offersMore) => {
    words.textContent = text;
    stay.hidden = !offersMore;
    notice.hidden = false;
  };
  const learn = (left) => {
    endsAt = Date.now() + left.seconds * 1000;
    isFinal = left.longest <= left.seconds;
    const warned = Math.min(WARNED_S, left.seconds / 2 + 1);
    clearTimeout(timer);
    timer = setTimeout(look, Math.max(1, left.seconds - warned) * 1000);
  };
  const ask = async (options) => {
    const answer = await fetch("/console/session", { redirect: "manual", ...options });
    return answer.ok ? answer.json() : null;
  };
  const ended = () =>
    say(notice.dataset.ended, false);

  async function look() {
    const left = await ask({}).catch(() => null);
    if (!left) return ended();
    if (left.seconds > WARNED_S + 5) return learn(left); // it was used on another page
    learn(left);
    say(
      (isFinal ? notice.dataset.endsLast : notice.dataset.endsUnused).replace("{time}", at(endsAt)),
      !isFinal,
    );
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const later = await ask({}).catch(() => null);
      if (!later) return ended();
      notice.hidden = true;
      learn(later);
    }, (left.seconds + 1) * 1000);
  }

  stay.addEventListener("click", async () => {
    const body = new URLSearchParams({ form_token: notice.dataset.token });
    const left = await ask({ method: "POST", body }).catch(() => null);
    if (!left) return ended();
    notice.hidden = true;
    learn(left);
  });
  learn({ seconds: Number(notice.dataset.seconds), longest: Number(notice.dataset.longest) });
}

if (notice) watchSession();
