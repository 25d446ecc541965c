// Without letters and digits that look alike.
const ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** Makes a password of 20 random characters (116 bits) in groups, such as `k3fmQ-…`. */
export function makePassword(): string {
  const groups = Array.from({ length: GROUPS }, () => Array.from({ length: GROUP_LENGTH }, pick).join(""));
  return groups.join("-");
}

/** Returns one character; each is as likely as the others. */
function pick(): string {
  const fair = 256 - (256 % ALPHABET.length);
  for (;;) {
    const [byte = 256] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < fair) return ALPHABET.charAt(byte % ALPHABET.length);
  }
}
