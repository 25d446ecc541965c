import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../api/client";
import type { KeyCreate, KeyUpdate, User, UserCreate, UserUpdate } from "../api/types";

export const usersQuery = () =>
  queryOptions({
    queryKey: ["users"],
    queryFn: async ({ signal }) => (await unwrap(api.GET("/api/v1/users", { signal }))).users,
  });

export const keysQuery = () =>
  queryOptions({
    queryKey: ["keys"],
    queryFn: async ({ signal }) => (await unwrap(api.GET("/api/v1/keys", { signal }))).keys,
  });

/** A mutation after which people or keys, and who is signed in, are read again: one may change one's own account. */
function useChange<Variables, Answer>(list: "users" | "keys", mutationFn: (variables: Variables) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: [list] });
      void client.invalidateQueries({ queryKey: ["session"] });
    },
  });
}

const at = ({ principal_id }: User) => ({ params: { path: { principal_id } } });

export const useAddUser = () => useChange("users", (body: UserCreate) => unwrap(api.POST("/api/v1/users", { body })));

export const useUpdateUser = (user: User) =>
  useChange("users", (body: UserUpdate) => unwrap(api.PATCH("/api/v1/users/{principal_id}", { ...at(user), body })));

export const useSignOutUser = (user: User) =>
  useChange("users", () => unwrap(api.DELETE("/api/v1/users/{principal_id}/sessions", at(user))));

export const useRemoveUser = (user: User) =>
  useChange("users", () => unwrap(api.DELETE("/api/v1/users/{principal_id}", at(user))));

export const useCreateKey = () => useChange("keys", (body: KeyCreate) => unwrap(api.POST("/api/v1/keys", { body })));

export const useUpdateKey = (prefix: string) =>
  useChange("keys", (body: KeyUpdate) =>
    unwrap(api.PATCH("/api/v1/keys/{name}", { params: { path: { name: prefix } }, body })),
  );

/** Revokes a key by its prefix, which needs no escaping in an address. */
export const useRevokeKey = (prefix: string) =>
  useChange("keys", () => unwrap(api.DELETE("/api/v1/keys/{name}", { params: { path: { name: prefix } } })));
