#!/bin/sh
# pull.sh URL FINGERPRINT DIR: fetch every post that the owner of FINGERPRINT, served at URL, has for me, the person
# whose secret key is in GNUPGHOME. Each post is verified and kept as DIR/<position>.json; at the end count and digest
# prove that none is missing. Needs gpg, curl, jq and sha256sum; the rules are in post.md, message.md and walk.md.
[ $# = 3 ] || { echo 'usage: pull.sh URL FINGERPRINT DIR' >&2; exit 2; }; set -eu
url=${1%/} peer=$2 dir=$3 after=''
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT && mkdir -p "$dir" && : >"$tmp/lines"
die() { printf 'pull.sh: %s\n' "$*" >&2; exit 1; }
pgp() { gpg --batch --quiet --trust-model always --no-encrypt-to --keyring "$tmp/peer.gpg" "$@" 2>>"$tmp/log"; }
me=$(gpg --batch --with-colons -K 2>/dev/null | awk -F: '/^fpr/ { print $10; exit }')
key=$(gpg --batch --export --export-options export-minimal "$me" | base64 | tr -d '\n')
curl -fsS -o "$tmp/peer.asc" "$url/p2ps/v1/key/$peer" && gpg --batch --dearmor <"$tmp/peer.asc" >"$tmp/peer.gpg" || die "no key of $peer at $url"
# signed CONTEXT: gpg's status tells of exactly one good signature, by the peer, made for CONTEXT; prints its time.
signed() {
	awk -v ctx="$1" -v peer="$peer" '
		$2 == "NEWSIG" { all++ } $2 == "PLAINTEXT" || $2 == "DECRYPTION_OKAY" { sealed++ }
		$2 == "GOODSIG" || $2 == "EXPKEYSIG" && ctx == "post" { good++ }
		$2 == "VALIDSIG" && $11 == "00" && $12 == peer { valid++; at = $5 }
		$2 == "NOTATION_NAME" { mine = $3 == "context@p2ps"; names += mine } $2 == "NOTATION_DATA" && mine { data = data $3 }
		END { if (all good valid names == 1111 && data == ctx && sealed == 2 * (ctx == "answer")) print at; else exit 1 }' "$tmp/status"
}
# ask [TIME]: sends one sealed request for what comes after $after; the answer that passed every check is $tmp/answer.
ask() {
	now=${1-$(date -u +%Y-%m-%dT%H:%M:%SZ)}
	jq -cn --arg me "$me" --arg peer "$peer" --arg now "$now" --arg key "$key" --arg after "$after" \
		--arg nonce "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" '{p2ps: "request/1", kind: "posts", from: $me, to: $peer,
		time: $now, nonce: $nonce, key: $key} + if $after == "" then {} else {after: $after} end' >"$tmp/ask"
	pgp --faked-system-time "$(echo "$now" | tr -d ':Z-')!" --rfc4880 -z 0 --sig-notation context@p2ps=request \
		-u "$me" -R "$peer" --sign --encrypt <"$tmp/ask" >"$tmp/sealed" || die "cannot seal: $(cat "$tmp/log")"
	curl -fsS --max-time 60 --max-filesize 2097152 -H 'Content-Type: application/pgp-encrypted' -H 'Expect:' \
		--data-binary @"$tmp/sealed" -o "$tmp/reply" "$url/p2ps/v1/sealed" || die "no answer from $url"
	pgp --status-fd 3 --max-output 4194304 -d <"$tmp/reply" 3>"$tmp/status" >"$tmp/answer" || die 'the answer does not open'
	at=$(signed answer) || die "the answer is not signed by $peer"
	jq -e --arg me "$me" --arg peer "$peer" --arg re "$(sha256sum <"$tmp/ask" | cut -c1-64)" --argjson at "$at" '.p2ps ==
		"answer/1" and .from == $peer and .to == $me and .re == $re and (.time | fromdate - $at | fabs) <= 60' \
		"$tmp/answer" >/dev/null || die 'the answer is not to this request'
	again=$(jq -r 'select(.kind == "error" and (.code | . == "clock" or . == "replay")).time' "$tmp/answer")
	if [ "$again" ] && [ $# = 0 ]; then ask "$again"; fi # once more, with the peer's time as mine
}
while :; do ask
	jq -c --arg after "$after" --arg peer "$peer" 'if .kind == "posts" and (.more == false or .items != [])
		and ([.items[].id | split("/")[1]] | . == unique and all(. > $after)) and all(.items[]; (has("bto") | not)
		and (.to | . == null or . == ["as:Public"]) and .attributedTo == "openpgp4fpr:\($peer)" and (.id | test(
		"\\Ap2ps:\($peer)/(19|20|21)[0-9]{2}(0[1-9]|1[0-2])[0-9]{2}-[0-9]{9}-[a-z2-7]{13}\\z"))) then .items[]
		else error("no page of posts: \(.code // .kind | tojson)") end' "$tmp/answer" >"$tmp/items" || die "refused: the answer of $url"
	while IFS= read -r item; do
		id=$(printf '%s' "$item" | tee "$tmp/item" | jq -r .id)
		jq -cSj 'del(.bto, .signature)' "$tmp/item" >"$tmp/post" && jq -r .signature "$tmp/item" | base64 -d >"$tmp/sig"
		pgp --status-fd 3 --verify "$tmp/sig" "$tmp/post" 3>"$tmp/status" && signed post >"$tmp/at" || die "not signed by its author: $id"
		jq . "$tmp/item" >"$dir/.part" && mv "$dir/.part" "$dir/${id#*/}.json"
		echo "$id $(jq .revision "$tmp/post") $(sha256sum <"$tmp/post" | cut -c1-64)" >>"$tmp/lines"
	done <"$tmp/items"
	[ "$(jq .more "$tmp/answer")" = true ] && after=$(jq -r '.items[-1].id | split("/")[1]' "$tmp/answer") || break
done
LC_ALL=C sort -o "$tmp/lines" "$tmp/lines"
for month in $(cut -d/ -f2 "$tmp/lines" | cut -c1-6 | uniq); do
	grep "/$month" "$tmp/lines" >"$tmp/month" && echo "$month $(($(wc -l <"$tmp/month"))) $(sha256sum <"$tmp/month" | cut -c1-64)"
done >"$tmp/months"
have="$(($(wc -l <"$tmp/lines"))) $(sha256sum <"$tmp/months" | cut -c1-64)"
[ "$have" = "$(jq -r '"\(.count) \(.digest)"' "$tmp/answer")" ] && echo "complete ${have% *}" || die "not complete: I count $have"
