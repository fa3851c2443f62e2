// Package keyring is the people of one home, kept as directories of key files
// that can be worked on with cp, mv, rm and an editor:
//
//	key/       public.asc primary.asc daily.asc revocation.asc   who I am
//	friends/   <FPR>.asc <FPR>.json       who may see what I write for them
//	follows/   <FPR>.asc <FPR>.json       whose public posts I read
//	groups/    family/<FPR>.asc <FPR>.json     friends by what they may see
//	blocked/   <FPR>.asc                  the name alone blocks
//
// What a file says:
//
//   - The certificate used is that in friends/ (or follows/); in groups/ and
//     blocked/ a key only says who. A key counts only if its name and content
//     agree, but in blocked/ the name is enough: an empty file does.
//   - Any other *.asc is taken by its content and renamed to <FPR>.asc before
//     rights are read again: the directory's times tell, and one changed within
//     the last two seconds is looked at again. If there is that key already,
//     the two are merged (friends/, follows/) and the extra file gets a dot
//     name. Conflict copies of sync tools never make anybody a friend or a
//     member. What is no key is left alone and named by Problems.
//   - Who is not in friends/ is a stranger, whatever a group holds.
//   - The JSON beside a key says since when, and from where in my feed on: its
//     history is "all" or a stamp. Without it (a plain cp) it is made, before
//     the key counts, with a history that begins now: a cp never opens the
//     past. The same if it cannot be parsed; that file is kept under a dot
//     name. If it cannot be read, nothing is shown by it and nothing written.
//     A JSON that its key has left loses its history, for the same reason.
//     Members of the JSON that we do not know are kept.
//   - Friends, follows and groups share one name space; see CheckName.
//
// # Locks and rights
//
// A Keyring is safe for concurrent use in one process. It takes no file lock:
// whoever calls what changes something holds the home's lock. Reading repairs
// too (renames by content, missing JSON files), without any lock: each repair
// is atomic, and of two processes one does it and the other sees it done.
//
// Nothing here trusts a hint: Grants looks at the files afresh, and only parsed
// contents are remembered, by (size, mtime, ctime, inode).
package keyring
