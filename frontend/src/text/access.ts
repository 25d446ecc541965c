export const access = {
  title: "Sign in",
  explain: "An admin makes accounts with: understudy users add NAME --role viewer",
  name: "Name",
  password: "Password",
  signIn: "Sign in",
  signInWith: (provider: string) => `Sign in with ${provider}`,
  /** By the code that the server puts into the address after a sign-in at the provider. */
  problems: {
    sign_in_failed: {
      title: "The sign-in at the provider failed",
      detail: "The provider refused, the sign-in took longer than ten minutes, or it was begun in another browser.",
      remedy: "Sign in once more. If it stays so, the server's log names the reason.",
    },
    no_role: {
      title: "Your account has no role here",
      detail: "The provider knows you, but gives you no role on this server.",
      remedy: "Ask an admin of the provider for a role.",
    },
    not_signed_in: {
      title: "Your account is disabled",
      detail: "The provider knows you, but an admin of this server has disabled your account.",
      remedy: "Ask an admin of this server.",
    },
    too_many_attempts: {
      title: "Too many sign-ins failed in a row",
      detail: "The server does not take another one from your address yet.",
      remedy: "Wait a few minutes, then try again.",
    },
    issuer_unavailable: {
      title: "The provider does not answer",
      detail: "The server could not reach the provider of the sign-in.",
      remedy: "Try again in a few seconds, or sign in with a name and a password.",
    },
    database_unavailable: {
      title: "The database does not answer",
      detail: "The server could not store your sign-in.",
      remedy: "Try again in a few seconds.",
    },
  } as Record<string, { title: string; detail: string; remedy: string }>,
  account: "My account",
  peopleAndKeys: "People and keys",
  signOut: "Sign out",
  signOutEverywhere: "Sign out everywhere",
  who: (name: string, role: string | null) => (role ? `${name}, ${role}` : name),
  roleExplain: (role: string | null) =>
    role ? `Your role is ${role}. Buttons that need another role say so.` : "You have no role.",
};
