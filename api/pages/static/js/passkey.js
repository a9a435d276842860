// Passkeys of this page: enrolling one, and confirming with one. The server chose the challenge.

const enrol = document.getElementById("enrol");
const confirming = document.getElementById("assert");

const decode = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const encode = (data) => btoa(String.fromCharCode(...new Uint8Array(data))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function createAnswer() {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const answer = await fetch(enrol.dataset.options, { method: "POST", headers: { "X-CSRF-Token": token } });
  if (!answer.ok) throw new Error("options");
  const options = await answer.json();
  options.challenge = decode(options.challenge);
  options.user.id = decode(options.user.id);
  options.excludeCredentials = (options.excludeCredentials ?? []).map((each) => ({ ...each, id: decode(each.id) }));
  const made = await navigator.credentials.create({ publicKey: options });
  return {
    id: made.id, rawId: encode(made.rawId), type: made.type,
    response: { clientDataJSON: encode(made.response.clientDataJSON), attestationObject: encode(made.response.attestationObject) },
  };
}

async function assertAnswer() {
  const { challenge, rp, credentials } = confirming.dataset;
  const made = await navigator.credentials.get({
    publicKey: {
      challenge: decode(challenge), rpId: rp, userVerification: "required", timeout: 60000,
      allowCredentials: credentials.split(",").map((id) => ({ type: "public-key", id: decode(id) })),
    },
  });
  const { authenticatorData, clientDataJSON, signature } = made.response;
  return {
    credentialId: encode(made.rawId), authenticatorData: encode(authenticatorData),
    clientDataJSON: encode(clientDataJSON), signature: encode(signature),
  };
}

function attach(form, make) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    const button = form.querySelector("button");
    const problem = form.querySelector("[data-problem]");
    problem.textContent = "";
    button.disabled = true;
    try {
      form.elements.answer.value = JSON.stringify(await make());
      form.submit();
    } catch {
      problem.textContent = form.dataset.failed;
      button.disabled = false;
    }
  }, true);
}

attach(enrol, createAnswer);
attach(confirming, assertAnswer);
