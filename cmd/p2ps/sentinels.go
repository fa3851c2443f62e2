package main

import (
	"io/fs"
	"syscall"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/media"
	"github.com/p2ps/p2ps/pkg/nearby"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/pull"
	"github.com/p2ps/p2ps/pkg/text"
	"github.com/p2ps/p2ps/pkg/wire"
)

// sentinels says for each exported error of a package what a script learns and
// what a person does next. The first that errors.Is finds counts, so the
// particular stands before the general. A test demands that none is missing.
var sentinels = []struct {
	err  error
	exit exit
	hint string
}{
	// Home and keyring wrap the errors of the packages below.
	{keyring.ErrNoIdentity, exitNotFound, "p2ps keygen --name YOU"},
	{keyring.ErrIdentity, exitError, "put key/ back from a backup"},
	{keyring.ErrUnknown, exitNotFound, "p2ps friend list and p2ps group list show whom p2ps knows"},
	{keyring.ErrAmbiguous, exitUsage, "give more of the name or fingerprint"},
	{keyring.ErrExists, exitExists, "choose another name"},
	{keyring.ErrName, exitUsage, "a name has 1 to 64 letters on one line, no / or \\, none of . - @ at its beginning, and is no fingerprint"},
	{keyring.ErrHistory, exitUsage, "write all, none or since:TIME; see p2ps help time"},
	{keyring.ErrSpent, exitUntrusted, "if it was not you on another machine, somebody else had the link: tell whoever sent it, and ask for a new one"},
	{keyring.ErrNoInvite, exitNotFound, "p2ps invite list shows those that were made"},
	{keyring.ErrUnsure, exitError, "see that friends, groups and blocked can be read"},

	{home.ErrNoHome, exitNotFound, "p2ps keygen --name YOU, or say with --home where it is"},
	{home.ErrNoPost, exitNotFound, "p2ps timeline shows the ids of posts"},
	{home.ErrAmbiguous, exitUsage, "give more of the id's end"},
	{home.ErrNotMine, exitUsage, "only its author changes a post; p2ps reply answers it"},
	{home.ErrDraft, exitError, "p2ps sign signs it as it is now; p2ps status shows what changed"},
	{home.ErrNotByHand, exitNotFound, "p2ps status lists what was made, changed or removed by hand"},
	{home.ErrKeyChanged, exitUntrusted, "do not retry: ask the person, then settle it with p2ps friend verify, address or remove; see p2ps help trust"},
	{home.ErrElsewhere, exitNotFound, "ask whoever sent the link for a new one, and compare its fingerprint"},
	{home.ErrUntrusted, exitUntrusted, "do not retry: ask the person, and see p2ps help trust"},
	{home.ErrNoNeighbour, exitNotFound, "p2ps nearby shows who is there, and the numbers"},
	{home.ErrNoAddress, exitTemporary, "p2ps friend address WHO URL says where"},
	{home.ErrFile, exitUntrusted, "ask the person whose post it is; what is here of it is not shown"},
	{home.ErrIncomplete, exitUntrusted, "p2ps pull --full walks again from the beginning; if that does not help, ask the person"},

	{disk.ErrBusy, exitBusy, "wait for it to end, or give it longer with --wait"},
	{disk.ErrExposed, exitError, "do that, and the same once more"},
	{disk.ErrTooLarge, exitError, "is it the right file?"},
	{disk.ErrNotRegular, exitError, "name a plain file: no directory, link or device"},

	{media.ErrMalformed, exitError, "repair it, or share it as it is with --keep-metadata"},
	{media.ErrPieces, exitError, "write it anew with another program, or share it as it is with --keep-metadata"},

	{pgp.ErrLocked, exitLocked, "give the passphrase on a terminal, or a file with it in P2PS_PASSPHRASE_FILE"},
	{pgp.ErrSecret, exitUsage, "give away the public key only: p2ps key export"},
	{pgp.ErrOtherKey, exitUntrusted, "do not retry: ask the person, and see p2ps help trust"},
	{pgp.ErrSignature, exitUntrusted, "see p2ps help trust"},
	{pgp.ErrContext, exitUntrusted, "see p2ps help trust"},
	{pgp.ErrRevoked, exitUntrusted, "ask for the person's new key"},
	{pgp.ErrExpired, exitUntrusted, "ask for the key anew, and see that the clock is right"},
	{pgp.ErrWeak, exitUntrusted, "ask the person for a key of today's strength"},
	{pgp.ErrNoEncryption, exitError, "ask for a key that can be encrypted to"},
	{pgp.ErrNoSigning, exitError, "make or import a key that can sign"},
	{pgp.ErrRecipient, exitError, "give the person your key as it is now: p2ps key export"},
	{pgp.ErrLimit, exitError, "is it the right file? p2ps key export writes a key of the right size"},
	{pgp.ErrMalformed, exitError, "is it the right file? p2ps key export and gpg --armor --export write a key"},

	{post.ErrAuthor, exitUntrusted, "see p2ps help trust"},
	{post.ErrUnsigned, exitError, "p2ps sign shows what was made by hand, and signs it"},
	{post.ErrAudience, exitError, "until it is put right the post is for you alone; p2ps status names the file"},
	{post.ErrID, exitUsage, "an id stands in p2ps timeline --json"},
	{post.ErrTooLarge, exitError, "make it shorter, or attach a file"},
	{post.ErrInvalid, exitError, `a post needs little more than {"type":"Note","content":"Hello"}`},

	{wire.ErrVersion, exitVersion, "bring p2ps up to date, here or there"},
	{wire.ErrKind, exitVersion, "bring p2ps up to date, here or there"},
	{wire.ErrBinding, exitUntrusted, "do not retry: somebody else may have answered"},
	{wire.ErrClock, exitError, "set the clock right, here or there"},
	{wire.ErrReplay, exitTemporary, "try again"},
	{wire.ErrInvite, exitUsage, "take it whole, in capitals and quotes, as p2ps invite printed it: 'P2PS:1/...'"},
	{wire.ErrInvalid, exitError, "what answers there may be another version: p2ps version, here and there"},

	{home.ErrAnother, exitTemporary, "ask where the person is reached now: p2ps friend address WHO URL"},
	{peer.ErrUnreachable, exitTemporary, "try again later"},
	{peer.ErrOverloaded, exitTemporary, "try again later"},
	{peer.ErrRefused, exitError, "the other side may have another key, clock or version"},
	{peer.ErrNotFound, exitNotFound, "ask the person whether it is still there"},
	{peer.ErrAnswer, exitError, "what came before it is kept; ask the person, whose p2ps may be broken"},
	{peer.ErrAddress, exitUsage, "write it as http://example.org:7117"},
	{nearby.ErrLink, exitTemporary, "is this machine on a network?"},
	{pull.ErrPeer, exitPartial, "what came before it is kept"},

	{index.ErrUnwritable, exitError, "make room, and do it again"},
	{index.ErrDamaged, exitError, "delete cache/ in the home: it is made again"},
	{text.ErrTime, exitUsage, "see p2ps help time"},

	{ijson.ErrSyntax, exitError, `write it as one JSON object, such as {"type":"Note","content":"Hello"}`},
	{ijson.ErrDepth, exitError, "put fewer objects into each other"},
	{ijson.ErrCase, exitError, "write the name as it is said there"},
	{ijson.ErrPortable, exitError, "write the number or name as a text in quotes, or simpler"},

	{syscall.ENOSPC, exitError, "make room, and do it again"},
	{syscall.EROFS, exitError, "see that it can be written, or name another place with --home"},
	{fs.ErrPermission, exitError, "see with ls -l whose it is and who may read or write it"},
	{fs.ErrNotExist, exitNotFound, "is the name right?"},
}
