export const access = {
  title: "Sign in",
  explain: "An admin makes accounts with: understudy users add NAME --role viewer",
  name: "Name",
  password: "Password",
  signIn: "Sign in",
  account: "My account",
  peopleAndKeys: "People and keys",
  signOut: "Sign out",
  signOutEverywhere: "Sign out everywhere",
  who: (name: string, role: string | null) => (role ? `${name}, ${role}` : name),
  roleExplain: (role: string | null) =>
    role ? `Your role is ${role}. Buttons that need another role say so.` : "You have no role.",
};
