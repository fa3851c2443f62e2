#!/bin/sh
# text.sh writes the vectors that need no key: sh testdata/vectors/text.sh, from anywhere. What can be computed
# (canonical form, lines, digests, orders) is computed here by jq, sha256sum and sort, so that the expectation owes
# nothing to the program it tests. The format is described in README.md.
set -eu
cd "$(dirname "$0")"
alice=6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D
bob=A1B2C3D4E5F60718293A4B5C6D7E8F9001122334
place=20261122-123456789-k3q5vx2m4f7da
id=p2ps:$alice/$place
rm -rf canonical shape audience received visible position fingerprint after page begin choose line digest padding request answer invite part counts

# v DIR/NAME RULE EXPECT WHY <BYTES: one vector.
v() {
	mkdir -p "${1%/*}"
	{ printf 'rule: %s\nexpect: %s\nwhy: %s\n%s\n' "$2" "$3" "$4" "${extra-}" && cat; } >"$1"
}
# s BYTES: exactly these, without a line feed.
s() { printf '%s' "$1"; }
sha() { sha256sum | cut -c1-64; }

# --- canonical: an object; its signed bytes, or what is wrong with it
canon() { # NAME RULE WHY JSON
	s "$4" | v "canonical/$1" "$2" "canonical $(s "$4" | jq -cSj 'del(.bto, .signature)' | sha) $(s "$4" | jq -cSj 'del(.bto, .signature)' | wc -c | tr -d ' ')" "$3"
}
bad() { s "$5" | v "canonical/$1" "$2" "refused $3" "$4"; } # NAME RULE CLASS WHY JSON
canon sorted P19 'names are sorted' '{"b":1,"a":2,"C":3,"_":4,"":5}'
canon nested P19 'names are sorted at every depth, arrays are not' '{"z":{"y":[3,1,2],"x":{"b":null,"a":true}}}'
canon spaces P1,P19 'white space around and inside is not signed' ' { "a" : [ 1 , 2 ] }
'
canon without-bto P19 'bto is not signed' '{"id":"x","bto":["family"]}'
canon without-signature P19 'the signature does not sign itself' '{"id":"x","signature":"AAAA"}'
canon inner-signature P19 'only the top-level signature is left out' '{"object":{"signature":"AAAA","bto":1},"signature":"BBBB"}'
canon escapes P19 'the short escapes, and lower-case \u00xx for other controls' '{"a":"\u0008\u0009\u000a\u000b\u000c\u000d\u001F\u0000\"\\\/"}'
canon raw P19 'everything else stands as it is' '{"a":"<>& é \u00e9 \u2028 \ud83d\ude00"}'
canon empty P19 'an empty object' '{}'
canon integers P6 'the greatest, the least, zero' '{"a":9007199254740991,"b":-9007199254740991,"c":0,"d":1000000000000000}'
canon fractions P7 'one form each' '{"a":0.5,"b":-52.125,"c":0.0001,"d":123456789012.345,"e":0.00012345678901234}'
canon depth-14 P8 'fourteen levels' '{"a":[[[[[[[[[[[[[1]]]]]]]]]]]]]}'
bad depth-15 P8 depth 'fifteen levels' '{"a":[[[[[[[[[[[[[[1]]]]]]]]]]]]]]}'
bad array P1 json 'a post is an object' '[1]'
bad two P1 json 'two objects' '{}{}'
bad cut P1 json 'the brace is missing' '{"a":1'
bad comma P1 json 'not JSON' '{"a":1,}'
bad form-feed P1 json 'a form feed is no white space' "$(printf '{}\f')"
printf '\357\273\277{}' | v canonical/mark P1 'refused json' 'a byte order mark'
bad doubled P2 doubled 'a twice' '{"a":1,"a":1}'
bad doubled-escaped P2 doubled 'a twice, once escaped' '{"a":1,"\u0061":2}'
bad doubled-deep P2 doubled 'deep inside' '{"x":[{"a":1,"a":2}]}'
bad doubled-bto P2 doubled 'what is not signed is not exempt' '{"bto":["a"],"bto":["b"]}'
printf '{"a":"\377"}' | v canonical/utf8 P3 'refused utf8' 'not UTF-8'
printf '{"a":"\300\200"}' | v canonical/utf8-long P3 'refused utf8' 'an overlong form'
printf '{"a":"\355\240\200"}' | v canonical/utf8-surrogate P3 'refused utf8' 'a surrogate in UTF-8'
bad surrogate P3 utf8 'half a pair' '{"a":"\ud800"}'
bad surrogate-low P3 utf8 'the other half' '{"a":"\udc00x"}'
bad name P4 name 'not ASCII' '{"é":1}'
bad name-escaped P4 name 'not ASCII, escaped' '{"\u00e9":1}'
bad name-deep P4 name 'deep inside' '{"a":[{"ß":1}]}'
bad name-control P4 name 'a control character' '{"\u0001":1}'
bad del P5 del 'escaped' '{"a":"\u007f"}'
bad del-name P5 del 'in a name' '{"\u007f":1}'
printf '{"a":"\177"}' | v canonical/del-raw P5 'refused del' 'raw'
bad integer-great P6 number '2^53' '{"a":9007199254740992}'
bad integer-little P6 number '-2^53' '{"a":-9007199254740992}'
bad integer-long P6 number 'twenty digits' '{"a":10000000000000000000}'
bad integer-minus-zero P6 number 'minus zero' '{"a":-0}'
bad integer-zero-first P6 json 'a leading zero is not JSON' '{"a":01}'
bad integer-exponent P6,P7 number 'an exponent' '{"a":1e2}'
bad integer-huge P6,P7 number 'beyond all doubles' '{"a":1e400}'
bad integer-deep P6 number 'deep inside' '{"a":[{"b":-0}]}'
bad fraction-zero P7 number 'a trailing zero' '{"a":1.50}'
bad fraction-whole P7 number 'a whole number written as a fraction' '{"a":1.0}'
bad fraction-minus-zero P7 number 'minus zero' '{"a":-0.0}'
bad fraction-small P7 number 'too small' '{"a":0.00009}'
bad fraction-long P7 number 'sixteen digits' '{"a":1.234567890123456}'
bad fraction-exponent P7 number 'an exponent' '{"a":1.5e3}'
size() { printf '{"a":"'; head -c "$1" /dev/zero | tr '\0' x; printf '"}'; }
size 65528 | v canonical/size-65536 P10 "canonical $(size 65528 | jq -cSj . | sha) 65536" 'the greatest size'
size 65529 | v canonical/size-65537 P10 'refused size' 'a byte too many'

# --- shape: a post in wire form whose signature is a placeholder: accepted, or what is wrong
note=$(jq -cn --arg id "$id" --arg by "openpgp4fpr:$alice" '{id: $id, type: "Note", attributedTo: $by,
	published: "2026-11-22T12:34:56Z", content: "Walked the whole Teltow canal today.", mediaType: "text/plain", revision: 1, signature: "iHUEABYIAB0WIQ=="}')
shape() { # NAME RULE EXPECT WHY FILTER
	s "$note" | jq -cj --arg id "$id" --arg alice "$alice" --arg bob "$bob" --argjson note "$note" "$5" | v "shape/$1" "$2" "$3" "$4"
}
shape note P11 accepted 'the example' .
for m in id type attributedTo published revision signature; do shape "no-$m" P11 'refused member' "without $m" "del(.$m)"; done
shape v6 P12,P13 accepted '64 digits' '("0F" * 32) as $f | .id = "p2ps:\($f)/20261122-123456789-k3q5vx2m4f7da" | .attributedTo = "openpgp4fpr:\($f)"'
shape id-day-99 P12,W1 accepted 'nobody computes with the date' '.id |= sub("20261122"; "20261199")'
shape id-other-author P12,P13 'refused author' 'id and attributedTo differ' '.id = "p2ps:\($bob)/20261122-123456789-k3q5vx2m4f7da"'
shape author-lower-case P13 'refused author' 'lower case' '.attributedTo |= ascii_downcase'
shape author-key-id P13 'refused author' 'a key id' '.attributedTo = "openpgp4fpr:" + $alice[24:]'
shape author-bare P13 'refused author' 'no scheme' '.attributedTo = $alice'
shape miscased P9 'refused case' 'Content' '.Content = .content | del(.content)'
shape miscased-beside P9 'refused case' 'both' '.Revision = 2'
for t in 2026-11-22T12:34:56.5Z 2026-11-22T12:34:56+00:00 2026-11-22t12:34:56z 2026-11-22 2026-02-30T00:00:00Z 2026-11-22T24:00:00Z 2026-11-22T12:34:60Z; do
	shape "published-$(echo "$t" | tr -d ':+')" P14 'refused time' "$t" ".published = \"$t\""; done
shape published-leap P14 accepted '29 February' '.published = "2028-02-29T23:59:59Z"'
for m in updated expires; do shape "$m-date" P14 'refused time' 'a date alone' ".$m = \"2026-11-22\""; done
shape revision-0 P15 'refused revision' zero '.revision = 0'
shape revision-negative P15 'refused revision' negative '.revision = -1'
shape revision-text P15 'refused revision' 'a string' '.revision = "1"'
shape revision-fraction P15 'refused revision' 'not whole' '.revision = 1.5'
shape type-list P16 'refused member' 'an array' '.type = ["Note"]'
shape type-empty P16 'refused member' 'empty' '.type = ""'
shape type-long P16 'refused member' '65 bytes' '.type = "x" * 65'
shape type-unknown P17 accepted 'kept and shown' '.type = "Juggling" | .clubs = 5'
shape member-unknown P17 accepted 'kept' '.colour = {"name": "blue"}'
for m in content summary name mediaType inReplyTo context; do shape "$m-number" P18 'refused member' "$m is a number" ".$m = 7"; done
shape content-unknown P17,P18 accepted 'of an unknown type nothing is asked' '.type = "Juggling" | .content = ["three", "clubs"]'
shape signature-empty P20 'refused signature' 'empty' '.signature = ""'
shape signature-url P20 'refused signature' 'the other base64' '.signature = "iHUEABYIAB0WIQ-_"'
shape signature-unpadded P20 'refused signature' 'not padded' '.signature = "iHUEABYIAB0WIQ"'
shape signature-broken P20 'refused signature' 'a line break' '.signature = "iHUEABYI\nAB0WIQ=="'
shape note-blank P45 'refused member' 'an empty text' '.content = ""'
file='{type: "Image", mediaType: "image/jpeg", name: "The canal", size: 3, url: [{type: "Link", href: ("sha256:" + "ab" * 32), mediaType: "image/jpeg", width: 4, height: 3}]}'
shape file P45,P56 accepted 'a picture says something' "del(.content) | .attachment = [$file]"
shape file-64 P56 accepted 'as many as there may be' ".attachment = [range(64) | $file]"
shape file-65 P56 'refused member' 'one more' ".attachment = [range(65) | $file]"
shape file-none P56 'refused member' 'an empty list' '.attachment = []'
shape file-alone P56 'refused member' 'no list' ".attachment = $file"
shape file-text P56 'refused member' 'no object' '.attachment = ["x"]'
shape file-other P56 accepted 'another type means nothing' '.attachment = [{type: "PropertyValue", url: 1}]'
shape file-no-description P56 accepted 'nothing is said of it' ".attachment = [$file | del(.name)]"
shape file-name-number P56 'refused member' 'the description is no text' ".attachment = [$file | .name = 1]"
shape file-no-type P56 'refused member' 'no mediaType' ".attachment = [$file | del(.mediaType)]"
shape file-type-parameter P56 'refused member' 'a parameter' ".attachment = [$file | .mediaType = \"text/html; charset=x\"]"
shape file-no-size P56 'refused member' 'no size' ".attachment = [$file | del(.size)]"
shape file-size-negative P56 'refused member' 'less than nothing' ".attachment = [$file | .size = -1]"
shape file-size-text P56 'refused member' 'a string' ".attachment = [$file | .size = \"3\"]"
shape file-no-url P56 'refused member' 'no url' ".attachment = [$file | del(.url)]"
shape file-two-urls P56 'refused member' 'two' ".attachment = [$file | .url += .url]"
shape file-url-text P56 'refused member' 'no list' ".attachment = [$file | .url = .url[0].href]"
shape file-web P56 'refused member' 'a place on the web, that would tell who looks' ".attachment = [$file | .url[0].href = \"https://example.org/x\"]"
shape file-capitals P56 'refused member' 'capitals' ".attachment = [$file | .url[0].href = \"sha256:\" + \"AB\" * 32]"
shape file-short P56 'refused member' '62 digits' ".attachment = [$file | .url[0].href = \"sha256:\" + \"ab\" * 31]"
shape file-width-negative P56 'refused member' 'less than nothing' ".attachment = [$file | .url[0].width = -1]"
shape file-width-text P56 'refused member' 'a string' ".attachment = [$file | .url[0].width = \"4\"]"
shape note-place P45 accepted 'a place says something' 'del(.content) | .location = {"type": "Place", "name": "Teltow"}'
shape note-empty P45 'refused member' 'nothing in it' 'del(.content)'
shape note-html P46 accepted 'HTML only if said' '.mediaType = "text/html"'
shape article P47 accepted 'an article' '.type = "Article" | .name = "Canals" | .mediaType = "text/markdown"'
shape article-empty P47 'refused member' 'no content' '.type = "Article" | del(.content)'
page='del(.content, .mediaType) | .type = "Page"'
shape page P48 accepted 'a link' "$page"' | .url = "https://example.org/canal"'
shape page-no-url P48 'refused member' 'no url' "$page"
shape page-scheme P48 'refused member' 'javascript' "$page"' | .url = "javascript:alert(1)"'
shape page-space P48 'refused member' 'a space' "$page"' | .url = "https://example.org/a b"'
shape comment P49 accepted 'an answer' '.inReplyTo = $id | .context = $id'
shape comment-elsewhere P49 accepted 'to another network' '.inReplyTo = "https://example.org/7"'
shape comment-malformed P49 'refused member' 'no id' '.inReplyTo = "p2ps:7"'
like='.type = "Like" | .content = "🚣" | .object = $id'
shape like P51 accepted 'a reaction' "$like"
shape like-no-object P51 'refused member' 'of what' "$like | del(.object)"
shape like-object P51 'refused member' 'a whole post' "$like"' | .object = $note'
shape like-long P51 'refused member' '65 bytes' "$like"' | .content = "x" * 65'
announce='del(.content, .mediaType) | .type = "Announce" | .object = ($note | .to = ["as:Public"])'
shape announce P52 accepted 'passed on' "$announce"
shape announce-private P52 'refused member' 'a private post' "$announce | del(.object.to)"
shape announce-unsigned P52 'refused member' 'without signature' "$announce | del(.object.signature)"
shape announce-readers P52 'refused audience' 'with bto' "$announce"' | .object.bto = ["family"]'
shape announce-id P52 'refused member' 'only an id' "$announce"' | .object = $id'
person='del(.content, .mediaType) | .type = "Person" | .name = "Alice"'
shape person P54 accepted 'a profile' "$person"
shape person-no-name P54 'refused member' 'nameless' "$person | del(.name)"
shape person-icon K21 accepted 'a picture' "$person | .icon = $file"
shape person-icon-nothing K21 accepted 'a picture without a description' "$person | .icon = ($file | del(.name))"
shape person-icon-type K21 'refused member' 'a film' "$person | .icon = ($file | .type = \"Video\")"
shape person-icon-typeless K21 'refused member' 'no type' "$person | .icon = ($file | del(.type))"
shape person-icon-list K21 'refused member' 'a list' "$person | .icon = [$file]"
shape person-icon-null K21 'refused member' 'null' "$person | .icon = null"
shape person-icon-address K21 'refused member' 'an address' "$person | .icon = \"https://example.org/alice.jpg\""
shape person-icon-web K21 'refused member' 'a picture elsewhere, that would tell who looks' "$person | .icon = ($file | .url[0].href = \"https://example.org/alice.jpg\")"
shape person-icon-link K21 'refused member' 'the address of a picture elsewhere' "$person | .icon = {type: \"Image\", mediaType: \"image/jpeg\", url: \"https://example.org/alice.jpg\"}"
shape person-icon-no-size K21 'refused member' 'no size' "$person | .icon = ($file | del(.size))"
shape person-icon-case P9,K21 'refused case' 'another case' "$person | .Icon = $file"
shape icon-elsewhere K21 accepted 'of another type it means nothing' ".icon = \"https://example.org/x\""
link='{type: "Link", name: "Canals", href: "https://example.org/canals"}'
shape person-link K22 accepted 'a link' "$person | .attachment = [$link]"
shape person-link-more K22 accepted 'a link with more' "$person | .attachment = [$link + {rel: [\"me\"]}]"
shape person-links K22 accepted 'two, a file, and another thing' "$person | .attachment = [$link, $file, {type: \"PropertyValue\", name: 7}, $link]"
shape person-link-no-name K22 'refused member' 'nameless' "$person | .attachment = [$link | del(.name)]"
shape person-link-name-empty K22 'refused member' 'an empty name' "$person | .attachment = [$link | .name = \"\"]"
shape person-link-name-number K22 'refused member' 'the name is no text' "$person | .attachment = [$link | .name = 7]"
shape person-link-no-href K22 'refused member' 'to nowhere' "$person | .attachment = [$link | del(.href)]"
shape person-link-script K22 'refused member' 'a scheme that runs programs' "$person | .attachment = [$link | .href = \"javascript:alert(1)\"]"
shape person-link-space K22 'refused member' 'a space' "$person | .attachment = [$link | .href += \" x\"]"
shape link-elsewhere K22 accepted 'of another type it means nothing' ".attachment = [$link | .href = 7]"
stone='del(.content, .mediaType) | .type = "Tombstone" | .revision = 2 | .deleted = "2026-11-23T08:00:00Z" | .formerType = "Note"'
shape tombstone P43,P55 accepted 'a deletion' "$stone"
shape tombstone-no-deleted P55 'refused member' 'when' "$stone | del(.deleted)"
shape tombstone-no-type P55 'refused member' 'of what' "$stone | del(.formerType)"
shape tombstone-content P55 accepted 'a clumsy deletion is one all the same' "$stone"' | .content = "x"'

# --- received: a post from somebody else; only what its audience members say
received() { s "$note" | jq -cj --argjson note "$note" "$5" | v "received/$1" "$2" "$3" "$4"; }
received private P27 accepted 'to is absent' .
received public P27 accepted 'to is public' '.to = ["as:Public"]'
for t in '[]' 'null' '"as:Public"' '["as:Public","as:Public"]' '["Public"]' '["https://www.w3.org/ns/activitystreams#Public"]' '["as:Public","openpgp4fpr:A1B2C3D4E5F60718293A4B5C6D7E8F9001122334"]'; do
	n=$((${n-0} + 1)); received "to-$n" P27,P33 'refused audience' "to is $t" ".to = $t"; done
received bto P33 'refused audience' 'it should have stayed at home' '.bto = ["family"]'
for m in cc bcc audience To TO BTO Bto CC Audience; do received "name-$m" P32,P33 'refused audience' "$m" ".$m = [\"as:Public\"]"; done
received deep P32,P33 'refused audience' 'to inside' '.tag = [{"to": ["as:Public"]}]'
received announced P32,P52 accepted 'the object of an Announce is a post of its own' '.type = "Announce" | .object = ($note | .to = ["as:Public"])'
received announced-deep P32,P33 'refused audience' 'but only its own to' '.type = "Announce" | .object = ($note | .to = ["as:Public"] | .x = {"cc": []})'

# --- audience: a post of mine in file form; who it is for
audience() { s "$5" | v "audience/$1" "$2" "$3" "$4"; }
audience none P30 'only me' 'nobody named' '{"type":"Note"}'
audience public P27 'public' 'everybody' '{"to":["as:Public"]}'
audience friends P28 'friends' 'all friends' '{"bto":["friends"]}'
audience group P28 'group family' 'a group' '{"bto":["family"]}'
audience reader P28 "reader $bob" 'a person' "{\"bto\":[\"openpgp4fpr:$bob\"]}"
audience many P28 "public, friends, group 7-up, group family, reader $bob" 'all of it' "{\"to\":[\"as:Public\"],\"bto\":[\"family\",\"openpgp4fpr:$bob\",\"friends\",\"7-up\"]}"
audience announce P32 'group family' 'the object has its own' '{"type":"Announce","bto":["family"],"object":{"to":["as:Public"]}}'
wrong() { audience "$1" "$2" 'only me, damaged' "$3" "$4"; }
wrong to-null P31 'null' '{"to":null}'
wrong to-empty P31 'empty' '{"to":[]}'
wrong to-text P31 'no array' '{"to":"as:Public"}'
wrong to-words P31 'the words of a draft' '{"to":["public"]}'
wrong to-miscased P31 'miscased' '{"to":["as:public"]}'
wrong to-doubled-entry P31 'an entry twice' '{"to":["as:Public","as:Public"]}'
wrong to-twice P31 'the name twice' '{"to":["as:Public"],"to":["as:Public"]}'
wrong to-bad-bto-good P31 'one of the two is enough' '{"to":[],"bto":["family"]}'
wrong bto-null P31 'null' '{"bto":null}'
wrong bto-empty P31 'empty' '{"bto":[]}'
wrong bto-text P31 'no array' '{"bto":"family"}'
wrong bto-number P31 'a number' '{"bto":["family",7]}'
wrong bto-doubled-entry P31 'an entry twice' '{"bto":["family","family"]}'
wrong bto-twice P31 'the name twice' '{"bto":["family"],"bto":["work"]}'
wrong bto-miscased P31 'a capital' '{"bto":["Family"]}'
wrong bto-space P31 'a space' '{"bto":["my family"]}'
wrong bto-long P31 '33 characters' '{"bto":["abcdefghijklmnopqrstuvwxyz1234567"]}'
wrong bto-dash P31 'a dash first' '{"bto":["-family"]}'
wrong bto-me P31 'a reserved word' '{"bto":["me"]}'
wrong bto-public P31 'a reserved word' '{"bto":["public"]}'
wrong bto-as-public P31 'public stands in to' '{"bto":["as:Public"]}'
wrong bto-key-id P31 'a key id' '{"bto":["openpgp4fpr:3D7E25840A9C1B2D"]}'
wrong bto-lower-case P31 'a fingerprint in lower case' '{"bto":["openpgp4fpr:a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"]}'
for m in cc bcc audience; do wrong "name-$m" P32 "$m" "{\"to\":[\"as:Public\"],\"$m\":[\"as:Public\"]}"; done
for m in TO To bTo CC Bcc Audience; do wrong "case-$m" P32 "$m" "{\"bto\":[\"family\"],\"$m\":[\"as:Public\"]}"; done
wrong deep P32 'below the top level' '{"bto":["family"],"tag":[{"to":["as:Public"]}]}'
wrong deep-object P32 'the object of anything but an Announce' '{"type":"Like","bto":["family"],"object":{"to":["as:Public"]}}'

# --- visible: audience, position and reader; may he see it
visible() { jq -cnj --arg bob "$bob" --arg place "$place" "$5" | v "visible/$1" "$2" "$3" "$4"; }
all='{position: $place, reader: {fingerprint: $bob, friend: true, blocked: false, history: "all", groups: {family: "all"}}}'
visible stranger-public P34 visible 'public' "$all"' | .reader.friend = false | .reader.groups = {} | .to = ["as:Public"]'
visible stranger-named P34 hidden 'named, and no friend' "$all"' | .reader.friend = false | .reader.groups = {} | .bto = ["openpgp4fpr:" + $bob]'
visible stranger-member P34 hidden 'in the group, and no friend' "$all"' | .reader.friend = false | .bto = ["family"]'
visible blocked-public P34 visible 'public' "$all"' | .reader.blocked = true | .to = ["as:Public"]'
visible blocked-friend P34 hidden 'blocked' "$all"' | .reader.blocked = true | .bto = ["friends", "family", "openpgp4fpr:" + $bob]'
visible named P35 visible 'named' "$all"' | .bto = ["openpgp4fpr:" + $bob]'
visible other-named P35 hidden 'somebody else' "$all"' | .bto = ["openpgp4fpr:6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D"]'
visible friends P35 visible 'a friend' "$all"' | .bto = ["friends"]'
visible member P35 visible 'a member' "$all"' | .bto = ["family"]'
visible not-member P35 hidden 'another group' "$all"' | .bto = ["work"]'
visible only-me P30 hidden 'nobody' "$all"
visible group-before P36 hidden 'a millisecond too early' "$all"' | .bto = ["family"] | .reader.groups.family = "20261122-123456790"'
visible group-at P36 visible 'at H' "$all"' | .bto = ["family"] | .reader.groups.family = "20261122-123456789"'
visible group-of-two P36 visible 'one way is enough' "$all"' | .bto = ["family", "work"] | .reader.groups = {family: "20270101-000000000", work: "all"}'
visible friends-before P36 hidden 'too early' "$all"' | .bto = ["friends"] | .reader.history = "20261122-123456790"'
visible friends-limit-group P36 visible 'the limit of friends is not that of the group' "$all"' | .bto = ["family"] | .reader.history = "20270101-000000000"'
visible named-before P36 visible 'a name has no limit' "$all"' | .bto = ["openpgp4fpr:" + $bob] | .reader.history = "20270101-000000000"'
visible public-before P36 visible 'public has no limit' "$all"' | .to = ["as:Public"] | .reader.history = "20270101-000000000"'

# --- position: a whole id; fingerprint: a fingerprint
position() { s "$4" | v "position/$1" "P12${extrarule-}" "$2" "$3"; }
position good accepted 'the example' "$id"
position day-99 accepted 'only the pattern counts' "p2ps:$alice/20261199-999999999-aaaaaaaaaaaaa"
position year-2199 accepted 'far ahead' "p2ps:$alice/21991231-235959999-zzzzzzzzzzzzz"
position month-13 'refused id' 'no such month' "p2ps:$alice/20261322-123456789-k3q5vx2m4f7da"
position month-00 'refused id' 'no such month' "p2ps:$alice/20260022-123456789-k3q5vx2m4f7da"
position year-2200 'refused id' 'beyond the pattern' "p2ps:$alice/22001122-123456789-k3q5vx2m4f7da"
position capital 'refused id' 'a capital' "p2ps:$alice/20261122-123456789-K3q5vx2m4f7da"
position digit-1 'refused id' '1 is not in the alphabet' "p2ps:$alice/20261122-123456789-k3q5vx2m4f7d1"
position short 'refused id' 'twelve letters' "p2ps:$alice/20261122-123456789-k3q5vx2m4f7d"
position long 'refused id' 'fourteen letters' "p2ps:$alice/20261122-123456789-k3q5vx2m4f7daa"
position scheme 'refused id' 'another scheme' "P2PS:$alice/$place"
position lower-case 'refused id' 'a fingerprint in lower case' "p2ps:$(s $alice | tr A-F a-f)/$place"
position key-id 'refused id' '16 digits' "p2ps:3D7E25840A9C1B2D/$place"
position path 'refused id' 'a path' "p2ps:$alice/../$place"
position suffix 'refused id' 'a file name' "p2ps:$alice/$place.json"
position alone 'refused id' 'the position alone' "$place"
printf '%s\n' "$id" | v position/line-feed P12 'refused id' 'a line feed at the end'
printf '%s\0' "$id" | v position/nul P12 'refused id' 'a NUL at the end'
printf 'p2ps:%s/%s' $alice '２0261122-123456789-k3q5vx2m4f7da' | v position/wide P12 'refused id' 'a digit of another script'
fingerprint() { s "$4" | v "fingerprint/$1" M1 "$2" "$3"; }
fingerprint v4 accepted '40 digits' $alice
fingerprint v6 accepted '64 digits' 0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F
fingerprint lower-case 'refused fingerprint' 'lower case' "$(s $alice | tr A-F a-f)"
fingerprint key-id 'refused fingerprint' 'a key id' 3D7E25840A9C1B2D
fingerprint spaces 'refused fingerprint' 'as gpg prints it' '6F3A 0C19 D2B8 4E57 A1C6  F09B 3D7E 2584 0A9C 1B2D'
fingerprint 0x 'refused fingerprint' 'a prefix' 0x$alice
fingerprint 41 'refused fingerprint' '41 digits' ${alice}0
fingerprint 63 'refused fingerprint' '63 digits' 0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0
fingerprint letter 'refused fingerprint' 'G' 6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2G
fingerprint empty 'refused fingerprint' 'empty' ''

# --- after: what the member stands for, in brackets
after() { s "$4" | v "after/$1" W2 "$2" "$3"; }
after position "[$place]" 'itself' "$place"
after time '[20210115-000000000]' 'a time' 2021-01-15T00:00:00Z
after time-late '[20211231-235959000]' 'a time' 2021-12-31T23:59:59Z
after time-early '[00010101-000000000]' 'before everything' 0001-01-01T00:00:00Z
after stamp 'error invalid' 'half a position' 20210115-000000000
after id 'error invalid' 'a whole id' "$id"
after date 'error invalid' 'a date' 2021-01-15
after fraction 'error invalid' 'a fraction' 2021-01-15T00:00:00.5Z
after empty 'error invalid' 'empty is not absent' ''

# --- page: {after, limit, entitled}; the items in order, then more
p() { printf '2026%s-%s-%s' "$1" "$2" aaaaaaaaaaaa"$3"; }
a=$(p 1101 000000000 a) b=$(p 1101 000000000 b) c=$(p 1130 999999999 a) d=$(p 1131 000000000 a) e=$(p 1201 000000000 a)
page() { # NAME RULE WHY AFTER LIMIT, entitled are a to e in disorder
	sorted=$(printf '%s\n' "$d" "$b" "$e" "$a" "$c" | LC_ALL=C sort | awk -v after="$4" '"x" $0 > "x" after')
	more=false; [ "$(printf '%s\n' "$sorted" | grep -c .)" -le "$5" ] || more=true
	jq -cnj --arg after "$4" --argjson limit "$5" '{after: $after, limit: $limit, entitled: $ARGS.positional}' --args "$d" "$b" "$e" "$a" "$c" |
		v "page/$1" "$2" "$(printf '%s\n' "$sorted" | head -n "$5" | tr '\n' ' ' | sed 's/^ //')more $more" "$3"
}
page all W3,W4 'everything fits' '' 5
page first W3,W4 'two, and more to come' '' 2
page same-time W3 'two of one millisecond: the rest of the id decides' "$a" 2
page exact W4 'the page is full, and nothing follows' "$c" 2
page day-31 W1,W3 'a day that does not exist has its place' "$c" 1
page end W4 'nothing after the last' "$e" 2
page time W2,W3 'a time is before the posts of its millisecond' 20261101-000000000 1

# --- begin: {now, held}; after what the walk begins, or "beginning"
begin() { jq -cnj --arg now 2026-11-22T12:00:00Z '{now: $now, held: $ARGS.positional}' --args "$@" ; }
begin | v begin/nothing W20 beginning 'nothing held'
begin $place 20261101-000000000-aaaaaaaaaaaaa | v begin/newest W20 "$place" 'the greatest, in whatever order'
begin 20261101-000000000-aaaaaaaaaaaaa 21990101-000000000-aaaaaaaaaaaaa | v begin/far-ahead W20 20261101-000000000-aaaaaaaaaaaaa 'a clock was wrong once'
begin 20261123-120000001-aaaaaaaaaaaaa | v begin/day-ahead W20 beginning 'a day and a millisecond ahead'
begin 20261123-115959999-aaaaaaaaaaaaa | v begin/nearly-a-day W20 20261123-115959999-aaaaaaaaaaaaa 'just less than a day ahead'
begin 21990101-000000000-aaaaaaaaaaaaa | v begin/only-ahead W20 beginning 'nothing else held'
begin 20261122-999999999-aaaaaaaaaaaaa | v begin/no-such-time W1,W20 20261122-999999999-aaaaaaaaaaaaa 'compared, not computed'

# --- choose: two texts of one id; the one that counts
choose() { jq -cnj --arg high "$(s 1 | sha)" --arg low "$(s 0 | sha)" '{a: {revision: 1, sha256: $high}, b: {revision: 1, sha256: $low}} | '"$4" | v "choose/$1" P40 "$2" "$3"; }
choose revision b 'the higher revision, whatever else' '.b.revision = 2 | .a.updated = "2026-12-01T00:00:00Z"'
choose revision-10 b 'numbers, not texts' '.a.revision = 9 | .b.revision = 10'
choose updated b 'the later change' '.a.updated = "2026-11-22T12:00:00Z" | .b.updated = "2026-11-22T12:00:01Z"'
choose updated-absent b 'absent is earliest' '.b.updated = "2000-01-01T00:00:00Z"'
choose hash a 'the greater hash' .
choose hash-equal-times a 'the greater hash' '.a.updated = "2026-11-22T12:00:00Z" | .b.updated = .a.updated'

# --- line: a post in wire form; its line
line() { s "$note" | jq -cj "$3" >line.tmp; v "line/$1" W7 "$(jq -rj '"\(.id) \(.revision)"' line.tmp) $(jq -cSj 'del(.bto, .signature)' line.tmp | sha)" "$2" <line.tmp; rm line.tmp; }
line first 'a first revision' .
line great-revision 'no exponent' '.revision = 9007199254740991'
line unordered 'the order of members does not count' 'to_entries | reverse | from_entries'
line signature 'the signature does not count' '.signature = "AAAA"'

# --- digest: post lines, each with its line feed; the month lines in order, then "COUNT DIGEST"
digest() { # NAME RULE WHY <LINES
	cat >digest.tmp
	LC_ALL=C sort digest.tmp >digest.sorted
	for month in $(cut -d/ -f2 digest.sorted | cut -c1-6 | uniq); do
		grep "/$month" digest.sorted >digest.month && echo "$month $(wc -l <digest.month | tr -d ' ') $(sha <digest.month)"
	done >digest.months
	{ cat digest.months; echo "$(wc -l <digest.sorted | tr -d ' ') $(sha <digest.months)"; } | sed 's/^/expect: /' >digest.expect
	mkdir -p digest
	{ echo "rule: $2"; cat digest.expect; printf 'why: %s\n\n' "$3"; cat digest.tmp; } >"digest/$1"
	rm digest.tmp digest.sorted digest.month digest.months digest.expect 2>/dev/null || rm -f digest.*
}
l() { echo "p2ps:$alice/$1 ${2-1} $(s "$1 ${2-1}" | sha)"; }
printf '' | digest nothing W9 'no posts: the digest of nothing'
l $place | digest one W8,W9 'one post'
{ l "$c"; l "$a"; l "$b"; } | digest disorder W8,W9 'lines are sorted'
{ l "$e"; l "$a"; l 20250101-000000000-aaaaaaaaaaaaa; l 21991231-235959999-zzzzzzzzzzzzz; } | digest months W8,W9 'months are sorted, and only those with posts appear'
{ l "$d" 10; l "$c" 9; } | digest day-31 W1,W8 'a day that does not exist belongs to its six characters'
i=0; while [ $i -lt 40 ]; do l "$(printf '2026%02d15-000000%03d-aaaaaaaaaaaaa' $((i % 12 + 1)) $i)"; i=$((i + 1)); done | digest forty W8,W9 'forty posts of twelve months'

# --- padding: the length of a body without padding; with it
pad() { s "$1" | v "padding/$1" M34 "$2" "$3"; }
padme() { awk -v l="$1" 'BEGIN { for (e = 0; 2 ^ (e + 1) <= l; e++); for (t = 0; 2 ^ (t + 1) <= e; t++); m = 2 ^ (e - t - 1); printf "%d", int((l + m - 1) / m) * m }'; }
pad 1 2048 'the least'
pad 2047 2048 'a byte to go'
pad 2048 2048 'exactly'
for n in 2049 2176 2177 4095 4096 4097 65535 65537 100000 131072 1048576 1048577 1500000; do pad $n "$(padme $n)" 'Padmé'; done

# --- request: a literal; "accepted", "error CODE" or "refused". Headers me, now, started tell the owner's side.
ask=$(jq -cn --arg me $alice --arg from $bob '{p2ps: "request/1", kind: "posts", from: $from, to: $me, time: "2026-11-22T12:34:56Z", nonce: "9f3c0a517be2486d95d1c0e8a47b2f60", key: "mDMEZw=="}')
extra="me: $alice
now: 2026-11-22T12:34:56Z
started: 2026-11-22T00:00:00Z
"
raw() { s "$5" | v "request/$1" "$2" "$3" "$4"; }
request() { s "$ask" | jq -cj --arg id "$id" --arg place "$place" --arg alice "$alice" "$5" | v "request/$1" "$2" "$3" "$4"; }
request posts M16 accepted 'everything' .
request after W2 accepted 'a position' '.after = $place'
request after-time W2 accepted 'a time' '.after = "2021-01-15T00:00:00Z"'
request after-stamp W2 'error invalid' 'half a position' '.after = "20210115-000000000"'
request after-null M15,W2 'error invalid' 'null is not absent' '.after = null'
request after-number M15 'error invalid' 'a number' '.after = 20210115'
request have W29 accepted 'marked ids' '.have = [$id]'
request have-position M22 'error invalid' 'a position is no id' '.have = [$place]'
request wait M43 accepted 'half a minute' '.wait = 30 | .digest = "ab" * 32'
request wait-hour M43 accepted 'an hour' '.wait = 3600 | .digest = "ab" * 32'
request wait-longer M43 'error invalid' 'a second more' '.wait = 3601 | .digest = "ab" * 32'
request wait-zero M43 'error invalid' 'no time' '.wait = 0 | .digest = "ab" * 32'
request wait-text M15,M43 'error invalid' 'a string' '.wait = "30" | .digest = "ab" * 32'
request wait-alone M43 'error invalid' 'without digest' '.wait = 30'
request wait-digest M43 'error invalid' '62 digits' '.wait = 30 | .digest = "ab" * 31'
request wait-manifest M14,M43 accepted 'of another kind it means nothing' '.kind = "manifest" | .wait = 0'
request offer M44 accepted 'what he would give in turn' '.offer = "ab" * 32'
request offer-short M44 'error invalid' '62 digits' '.offer = "ab" * 31'
request offer-capitals M44 'error invalid' 'capitals' '.offer = "AB" * 32'
request offer-null M15,M44 'error invalid' 'null' '.offer = null'
request offer-ids M14,M44 accepted 'of another kind it means nothing' '.kind = "ids" | .want = [] | .offer = 1'
request manifest W12 accepted 'month lines' '.kind = "manifest"'
request manifest-months W12 accepted 'post lines' '.kind = "manifest" | .months = ["202611"]'
request manifest-month W12 'error invalid' 'a malformed month' '.kind = "manifest" | .months = ["2026-11"]'
request manifest-no-month W12 'error invalid' 'an empty list' '.kind = "manifest" | .months = []'
request manifest-after W13 'error invalid' 'no line' '.kind = "manifest" | .after = $place'
request ids W14 accepted 'both' '.kind = "ids" | .want = [$id] | .have = [$id]'
request ids-500 W14 accepted '500 together' '.kind = "ids" | .want = [range(250) | $id] | .have = .want'
request ids-501 W14 'error invalid' '501 together' '.kind = "ids" | .want = [range(250) | $id] | .have = .want + [$id]'
request unknown M14 accepted 'a name of a later version' '.colour = "blue"'
request miscased M14,M21 refused 'After' '.After = $place'
request no-nonce M16 'error invalid' 'without nonce' 'del(.nonce)'
request no-to M16 'error invalid' 'without to' 'del(.to)'
request no-kind M16 'error invalid' 'without kind' 'del(.kind)'
request no-p2ps M16 'error invalid' 'without p2ps' 'del(.p2ps)'
request no-from M21 refused 'without from' 'del(.from)'
request no-time M21 refused 'without time' 'del(.time)'
request no-key M21 refused 'without key' 'del(.key)'
request from-lower-case M21 refused 'from in lower case' '.from |= ascii_downcase'
request time-fraction M21 refused 'time with a fraction' '.time = "2026-11-22T12:34:56.7Z"'
request nonce-short M20 'error invalid' '30 digits' '.nonce |= .[2:]'
request nonce-capitals M20 'error invalid' 'capitals' '.nonce |= ascii_upcase'
request to-other M22 'error invalid' 'to somebody else' '.to = .from'
request version M22 'error version' 'version 2' '.p2ps = "request/2"'
request version-answer M22 'error version' 'an answer' '.p2ps = "answer/1"'
request kind M22 'error kind' 'unknown' '.kind = "delete"'
request clock-behind M22 'error clock' '601 seconds' '.time = "2026-11-22T12:24:55Z"'
request clock-behind-less M22 accepted '600 seconds' '.time = "2026-11-22T12:24:56Z"'
request clock-ahead M22 'error clock' '601 seconds' '.time = "2026-11-22T12:44:57Z"'
request clock-ahead-less M22 accepted '600 seconds' '.time = "2026-11-22T12:44:56Z"'
request addresses M24 accepted 'four' '.addresses = ["http://192.0.2.7:7117", "https://example.org", "http://[2001:db8::7]:7117", "http://host"]'
request addresses-five M24 'error invalid' 'five' '.addresses = [range(5) | "http://192.0.2.\(.)"]'
request addresses-path M24 'error invalid' 'a path' '.addresses = ["http://192.0.2.7/x"]'
request addresses-scheme M24 'error invalid' 'another scheme' '.addresses = ["file://host"]'
request addresses-name M24 'error invalid' 'a password' '.addresses = ["http://a:b@host"]'
token=LY4XXSQ27EFOMCFAWEUESMY7LQ
hello='.kind = "hello" | .name = "Bob" | .addresses = [] | .token = "'$token'"'
request hello I8 accepted 'with a token' "$hello"
request hello-stranger I8 accepted 'without' "$hello | del(.token)"
request hello-name I8 accepted '256 bytes' "$hello"' | .name = "x" * 256'
request hello-no-name I8 'error invalid' 'without name' "$hello | del(.name)"
request hello-long-name I8 'error invalid' '257 bytes' "$hello"' | .name = "x" * 257'
request hello-number I8 'error invalid' 'the name is a number' "$hello | .name = 7"
request hello-no-addresses I8 'error invalid' 'without addresses' "$hello | del(.addresses)"
request hello-token-null I3,I8 'error invalid' 'null is not absent' "$hello | .token = null"
request hello-token-empty I3,I8 'error invalid' 'empty is not absent' "$hello"' | .token = ""'
request hello-token-short I3,I8 'error invalid' '25 letters' "$hello | .token |= .[1:]"
request hello-token-lower I3,I8 'error invalid' 'lower case' "$hello | .token |= ascii_downcase"
request hello-token-bits I3,I8 'error invalid' 'a bit too many' "$hello"' | .token |= .[:25] + "R"'
raw spaces M13 accepted 'padding' "$ask  
  "
raw bytes-after M13 refused 'more than spaces after the brace' "$ask{}"
raw tab-after M13 refused 'a tab is neither space nor line feed' "$ask	"
raw doubled M13 refused 'a name twice' "${ask%\}},\"kind\":\"posts\"}"
raw depth-16 M13 accepted 'sixteen levels' "${ask%\}},\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"
raw depth-17 M13 refused 'seventeen levels' "${ask%\}},\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"
raw array M13 refused 'no object' "[$ask]"
request file M39 accepted 'from the beginning' '.kind = "attachment" | .id = $id | .sha256 = "ab" * 32 | .offset = 0'
request file-offset M39 accepted 'further on' '.kind = "attachment" | .id = $id | .sha256 = "ab" * 32 | .offset = 4194304'
request file-accept M42 accepted 'and words that are not known' '.kind = "attachment" | .id = $id | .sha256 = "ab" * 32 | .offset = 0 | .accept = ["seipd2", "x"]'
request file-accept-text M42 'error invalid' 'no list' '.kind = "attachment" | .id = $id | .sha256 = "ab" * 32 | .offset = 0 | .accept = "seipd2"'
request file-no-id M39 'error invalid' 'of no post' '.kind = "attachment" | .sha256 = "ab" * 32 | .offset = 0'
request file-position M39 'error invalid' 'a position is no id' '.kind = "attachment" | .id = $place | .sha256 = "ab" * 32 | .offset = 0'
request file-no-hash M39 'error invalid' 'no hash' '.kind = "attachment" | .id = $id | .offset = 0'
request file-hash-capitals M39 'error invalid' 'capitals' '.kind = "attachment" | .id = $id | .sha256 = "AB" * 32 | .offset = 0'
request file-hash-path M39 'error invalid' 'a path' '.kind = "attachment" | .id = $id | .sha256 = "../../key/daily.asc" | .offset = 0'
request file-no-offset M39 'error invalid' 'no offset' '.kind = "attachment" | .id = $id | .sha256 = "ab" * 32'
request file-offset-negative M39 'error invalid' 'before the beginning' '.kind = "attachment" | .id = $id | .sha256 = "ab" * 32 | .offset = -1'
request file-offset-text M15,M39 'error invalid' 'a string' '.kind = "attachment" | .id = $id | .sha256 = "ab" * 32 | .offset = "0"'
request file-offset-fraction M39 'error invalid' 'half a byte' '.kind = "attachment" | .id = $id | .sha256 = "ab" * 32 | .offset = 0.5'
raw nothing M13 refused 'empty' ''
printf '%s,"x":"\377"}' "${ask%\}}" | v request/utf8 M13 refused 'not UTF-8'
extra="me: $alice
now: 2026-11-22T12:34:56Z
started: 2026-11-22T12:34:50Z
"
request replay-before M22 'error replay' 'a second before the start' '.time = "2026-11-22T12:34:49Z"'
request replay-at M22 accepted 'the second of the start' '.time = "2026-11-22T12:34:50Z"'
request replay-clock M23 'error clock' 'both: the clock comes first' '.time = "2026-11-22T12:00:00Z"'

# --- answer: a literal; accepted or refused. Headers asker, owner, kind, re tell the asker's side.
re=$(s "$ask" | sha)
extra="asker: $bob
owner: $alice
kind: posts
re: $re
"
reply=$(jq -cn --arg from $alice --arg to $bob --arg re "$re" --argjson note "$note" '{p2ps: "answer/1", kind: "posts", from: $from, to: $to, time: "2026-11-22T12:34:57Z", re: $re, items: [$note], more: false, count: 1, digest: $re}')
answer() { s "$reply" | jq -cj --arg id "$id" --arg alice "$alice" --argjson note "$note" "$5" | v "answer/$1" "$2" "$3" "$4"; }
answer last-page M29 accepted 'the end' .
answer first-page M29 accepted 'more to come' '.more = true | del(.count, .digest)'
answer nothing M29 accepted 'nothing for me' '.items = [] | .count = 0'
answer no-digest M29 'refused member' 'no digest at the end' 'del(.digest)'
answer no-count M29 'refused member' 'no count at the end' 'del(.count)'
answer no-items M29 'refused member' 'no items' 'del(.items)'
answer no-more M29 'refused member' 'no more' 'del(.more)'
answer more-text M15 'refused member' 'a string' '.more = "false"'
answer count-text M15 'refused member' 'a string' '.count = "1"'
answer items-null M15 'refused member' 'null' '.items = null'
answer from-other M27 'refused binding' 'from somebody else' '.from = .to'
answer to-other M27 'refused binding' 'to somebody else' '.to = $alice'
answer re-other M26,M27 'refused binding' 'to another question' '.re = "0" * 64'
answer re-capitals M26 'refused binding' 'capitals' '.re |= ascii_upcase'
answer kind-other M25,M27 'refused binding' 'another kind' '.kind = "ids" | del(.count, .digest)'
answer version-2 M25 'refused version' 'version 2' '.p2ps = "answer/2"'
answer a-request M25 'refused version' 'a request' '.p2ps = "request/1"'
answer error M22,M25 accepted 'an error is an answer' '.kind = "error" | .code = "busy" | del(.items, .more, .count, .digest)'
answer error-no-code M22 'refused member' 'an error without code' '.kind = "error" | del(.items, .more, .count, .digest)'
answer time-years-away M27 accepted 'his clock is his own' '.time = "2019-01-01T00:00:00Z"'
answer time-malformed M25 'refused member' 'no time' '.time = "now"'
answer gone-first M32 accepted 'gone, then posts' '.items = [{gone: $id}, $note]'
answer unknown M14 accepted 'a name of a later version' '.colour = "blue"'
answer miscased M14 'refused case' 'More' '.More = true'
ask='.ask = {kind: "posts"}'
answer ask A1 accepted 'asks from the beginning' "$ask"
answer ask-after A1 accepted 'after a post' '.ask = {kind: "posts", after: ($id | split("/")[1]), have: [$id]}'
answer ask-months A1 accepted 'lines of a month' '.ask = {kind: "manifest", months: ["202611"]}'
answer ask-ids A1 accepted 'by name' '.ask = {kind: "ids", want: [$id], have: [$id]}'
answer ask-unknown A1,M14 accepted 'a name of a later version' '.ask = {kind: "posts", colour: "blue"}'
answer ask-kind A1 'refused member' 'no such question' '.ask = {kind: "hello"}'
answer ask-no-kind A1 'refused member' 'no kind' '.ask = {}'
answer ask-text A1 'refused member' 'a text' '.ask = "posts"'
answer ask-null A1 'refused member' 'null is not absent' '.ask = null'
answer ask-malformed A1 'refused member' 'after what' '.ask = {kind: "posts", after: "yesterday"}'
back='.ask = {kind: "attachment", id: $id, sha256: .re, offset: 65536}'
answer ask-file A9 accepted 'a part of a file' "$back"
answer ask-file-accept A9 accepted 'in a way that nobody asks back in' "$back"' | .ask.accept = 7'
answer ask-file-no-id A9 'refused member' 'of no post' "$back | del(.ask.id)"
answer ask-file-sha256 A9 'refused member' 'capitals' "$back | .ask.sha256 |= ascii_upcase"
answer ask-file-no-offset A9 'refused member' 'from no byte on' "$back | del(.ask.offset)"
answer ask-file-offset A9,M15 'refused member' 'a string' "$back | .ask.offset = \"0\""
answer ask-file-before A9 'refused member' 'before the beginning' "$back | .ask.offset = -1"
answer ask-file-miscased A9,M14 'refused case' 'Offset' "$back | .ask.Offset = 0 | del(.ask.offset)"
answer ask-miscased A1,M14 'refused case' 'Kind' '.ask = {kind: "posts", After: "20261122-123456789-k3q5vx2m4f7da"}'
answer addresses M24 accepted 'where he is reached' '.addresses = ["http://192.0.2.7:7117"]'
answer addresses-five M24 'refused member' 'five' '.addresses = [range(5) | "http://192.0.2.\(.)"]'
answer addresses-path M24 'refused member' 'a path' '.addresses = ["http://192.0.2.7/x"]'
extra="asker: $bob
owner: $alice
kind: hello
re: $re
"
met='.kind = "hello" | del(.items, .more, .count, .digest)'
answer hello I9 accepted 'a friend' "$met"' | .name = "Alice" | .addresses = ["http://192.0.2.7:7117"]'
answer hello-met I9 accepted 'in person' "$met"' | .name = "Alice" | .addresses = [] | .trust = "verified"'
answer hello-stranger I13 accepted 'nothing for a stranger' "$met"
answer hello-spent I12 accepted 'another key was first' '.kind = "error" | .code = "spent" | del(.items, .more, .count, .digest)'
answer hello-name I9 'refused member' '257 bytes' "$met"' | .name = "x" * 257'
answer hello-trust I9 'refused member' 'a number' "$met | .trust = 1"
extra="asker: $bob
owner: $alice
kind: ask
re: $re
"
answer ask-on A6 accepted 'the next question' '.kind = "ask" | .ask = {kind: "manifest"} | del(.items, .more, .count, .digest)'
answer ask-done A6 accepted 'no more' '.kind = "ask" | del(.items, .more, .count, .digest)'
answer ask-posts A6 'refused binding' 'a page is no reply' .
extra="asker: $bob
owner: $alice
kind: manifest
re: $re
"
answer lines M30 accepted 'month lines' '.kind = "manifest" | .lines = ["202611 1 \(.re)"] | del(.items, .count, .digest)'
answer lines-none M30 accepted 'no months' '.kind = "manifest" | .lines = [] | del(.items, .count, .digest)'
answer lines-missing M30 'refused member' 'no lines' '.kind = "manifest" | del(.items, .count, .digest)'
answer lines-no-more M30 'refused member' 'no more' '.kind = "manifest" | .lines = [] | del(.items, .count, .digest, .more)'
extra="asker: $bob
owner: $alice
kind: ids
re: $re
"
answer ids M31 accepted 'posts by name, and what is gone' '.kind = "ids" | .items = [{gone: $id}, $note] | del(.count, .digest)'
answer ids-no-items M31 'refused member' 'no items' '.kind = "ids" | del(.items, .count, .digest)'
answer ids-no-more M31 'refused member' 'no more' '.kind = "ids" | del(.more, .count, .digest)'

# --- part: the literal of an answer with a part of a file. Headers as of answer, and offset: from where it was asked.
extra="asker: $bob
owner: $alice
kind: attachment
re: $re
offset: 3
"
part() { # NAME RULE EXPECT WHY JQ BYTES
	head=$(jq -cn --arg from $alice --arg to $bob --arg re "$re" '{p2ps: "answer/1", kind: "attachment", from: $from, to: $to, time: "2026-11-22T12:34:57Z", re: $re, size: 20, offset: 3, length: 5}' | jq -cj "$5")
	printf '%s\n%b' "$head" "$6" | v "part/$1" "$2" "$3" "$4"
}
part good M40 'accepted 3 of 20: 34567' 'five bytes' . '34567'
part padded M40 'accepted 3 of 20: 34567' 'zeros after them' . '34567\0000\0000\0000'
part line-feeds M40 'accepted 3 of 20: \n\n\n\n\n' 'the first line feed ends the JSON' . '\n\n\n\n\n'
part last M40 'accepted 3 of 3: ' 'nothing after the end' '.size = 3 | .length = 0' ''
part padding M40 'refused member' 'something after them' . '34567x'
part short M40 'refused member' 'one byte too few' . '3456'
part beyond M40 'refused member' 'beyond the end' '.size = 7' '34567'
part none M40 'refused member' 'no bytes, although there are more' '.length = 0' ''
part negative M40 'refused member' 'less than nothing' '.length = -1' '34567'
part size-text M15,M40 'refused member' 'a string' '.size = "20"' '34567'
part no-size M40 'refused member' 'no size' 'del(.size)' '34567'
part no-offset M40 'refused member' 'no offset' 'del(.offset)' '34567'
part no-length M40 'refused member' 'no length' 'del(.length)' '34567'
part offset-other M40,M41 'refused binding' 'another part' '.offset = 4' '34567'
part re-other M27,M41 'refused binding' 'of another question' '.re = "0" * 64' '34567'
part kind-other M27,M41 'refused binding' 'no part of a file' '.kind = "ids" | .items = [] | .more = false' ' '
part error M22,M39 'error not_found' 'there is none for him' '.kind = "error" | .code = "not_found" | del(.size, .offset, .length)' ' '

# --- invite: a link; what it says, or what is wrong with it
extra=
link="P2PS:1/$alice/LY4XXSQ27EFOMCFAWEUESMY7LQ"
good() { s "$4" | v "invite/$1" "$2" "$3" "$5"; } # NAME RULE PLACES LINK WHY
none() { s "$3" | v "invite/$1" "$2" "refused ${5-invite}" "$4"; } # NAME RULE LINK WHY
say() { echo "$alice LY4XXSQ27EFOMCFAWEUESMY7LQ $*"; }
good name I1 "$(say http://alice.example:7117)" "$link/ALICE.EXAMPLE:7117" 'a name'
good ipv4 I4 "$(say http://192.0.2.7:7117)" "$link/192.0.2.7:7117" 'IPv4'
good ipv6 I4 "$(say 'http://[2001:db8::7]:7117')" "$link/2001:DB8::7:7117" 'IPv6: the last part is the port'
good https I4 "$(say https://alice.example)" "$link/ALICE.EXAMPLE:443" 'port 443'
good https-ipv6 I4 "$(say 'https://[2001:db8::7]')" "$link/2001:DB8::7:443" 'port 443 of IPv6'
good four I1 "$(say http://a:1 http://b:2 http://c:3 http://d:65535)" "$link/A:1+B:2+C:3+D:65535" 'four places'
good v6 I1 "$(printf '0F%.0s' $(seq 32)) LY4XXSQ27EFOMCFAWEUESMY7LQ http://a:1" "P2PS:1/$(printf '0F%.0s' $(seq 32))/LY4XXSQ27EFOMCFAWEUESMY7LQ/A:1" '64 digits'
good card I5 "$alice - http://a:1" "P2PS:1/$alice//A:1" 'a card'
good card-nowhere I5 "$alice -" "P2PS:1/$alice//" 'a card without a place'
none version I2 "P2PS:2/$alice/LY4XXSQ27EFOMCFAWEUESMY7LQ/A:1" 'version 2' version
none version-0 I2 "P2PS:0/$alice/LY4XXSQ27EFOMCFAWEUESMY7LQ/A:1" 'version 0'
none lower I1 "$(echo "$link/A:1" | tr 'A-Z' 'a-z')" 'lower case'
none lower-host I1 "$link/alice.example:7117" 'a host in lower case'
none nothing I1 '' 'nothing'
none word I1 'HTTP://A:1' 'another scheme'
none before I1 " $link/A:1" 'a space before'
none after I1 "$link/A:1 " 'a space after'
none line I1 "$link/A:1
" 'a line feed after'
none part-more I1 "$link/A:1/" 'a part too many'
none part-less I1 "$link" 'no place'
none places-none I1 "$link/" 'an empty place'
none places-five I1 "$link/A:1+B:2+C:3+D:4+E:5" 'five places'
none places-empty I1 "$link/A:1++B:2" 'an empty place between'
none fingerprint I1 "P2PS:1/$(echo $alice | cut -c2-)/LY4XXSQ27EFOMCFAWEUESMY7LQ/A:1" '39 digits'
none key-id I1 "P2PS:1/$(echo $alice | cut -c25-)/LY4XXSQ27EFOMCFAWEUESMY7LQ/A:1" 'a key id'
none token-short I3 "P2PS:1/$alice/Y4XXSQ27EFOMCFAWEUESMY7LQ/A:1" '25 letters'
none token-long I3 "P2PS:1/$alice/AALY4XXSQ27EFOMCFAWEUESMY7LQ/A:1" '28 letters'
none token-letter I3 "P2PS:1/$alice/1Y4XXSQ27EFOMCFAWEUESMY7LQ/A:1" 'a 1'
none token-bits I3 "P2PS:1/$alice/LY4XXSQ27EFOMCFAWEUESMY7LR/A:1" 'a bit too many'
none token-padded I3 "P2PS:1/$alice/LY4XXSQ27EFOMCFAWEUESMY7LQ======/A:1" 'padding'
none port-none I4 "$link/A" 'no port'
none port-0 I4 "$link/A:0" 'port 0'
none port-zero-first I4 "$link/A:07117" 'a leading zero'
none port-great I4 "$link/A:65536" '65536'
none port-word I4 "$link/A:HTTP" 'a word'
none host-none I4 "$link/:7117" 'no host'
none host-scheme I4 "$link/HTTP://A:1" 'a scheme'
none host-path I4 "$link/A:1/X" 'a path'
none host-dots I4 "$link/A..B:1" 'an empty label'
none host-dash I4 "$link/-A:1" 'a dash first'
none host-underscore I4 "$link/A_B:1" 'an underscore'
none ipv6-brackets I4 "$link/[2001:DB8::7]:7117" 'brackets'
none ipv6-zone I4 "$link/FE80::1%ETH0:7117" 'a zone'
none ipv6-long I4 "$link/2001:0DB8::7:7117" 'not the shortest form'
none ipv6-mapped I4 "$link/::FFFF:192.0.2.7:7117" 'an IPv4 address in it'

# --- shape, once more: the types and members of spec/kinds.md
extra=
place='.location = {"type": "Place", "name": "Our garden", "latitude": 52.52, "longitude": 13.405}'
shape language K2 accepted 'German' '.language = "de"'
shape language-parts K2 accepted 'with script and region' '.language = "zh-Hant-TW"'
shape language-word K2 'refused member' 'an underscore' '.language = "pt_BR"'
shape language-list K2 'refused member' 'two' '.language = ["de", "en"]'
shape language-unknown K2,P17 accepted 'of an unknown type nothing is asked' '.type = "Juggling" | .language = 7'
shape place K4 accepted 'by name and coordinates' "$place"
shape place-name K4 accepted 'by name' "$place"' | .location |= {type, name}'
shape place-point K4 accepted 'by coordinates' "$place"' | .location |= del(.name)'
shape place-half K4 'refused member' 'a latitude alone' "$place"' | .location |= del(.longitude)'
shape place-nowhere K4 'refused member' 'neither' "$place"' | .location |= {type}'
shape place-north K4 'refused member' 'north of the pole' "$place"' | .location.latitude = 91'
shape place-east K4 'refused member' 'beyond the date line' "$place"' | .location.longitude = 180.5'
shape place-text K4 'refused member' 'a text' '.location = "Our garden"'
shape place-number-text K4 'refused member' 'a latitude in quotes' "$place"' | .location.latitude = "52.52"'
shape place-list K4 'refused member' 'two' "$place"' | .location = [.location, .location]'
shape place-type K4 'refused member' 'another type' "$place"' | .location.type = "Note"'
shape radius K5 accepted 'with units' "$place"' | .location += {radius: 50, units: "m"}'
shape radius-bare K5 'refused member' 'of what?' "$place"' | .location.radius = 50'
shape radius-yards K5 'refused member' 'other units' "$place"' | .location += {radius: 50, units: "yards"}'
shape radius-negative K5 'refused member' 'less than nothing' "$place"' | .location += {radius: -1, units: "m"}'
arrive='.type = "Arrive" | '"$place"
shape arrive K6 accepted 'a check-in' "$arrive"
shape arrive-silent K6,K13 accepted 'without a text' "$arrive"' | del(.content, .mediaType) | .summary = "is at Our garden"'
shape arrive-nowhere K6 'refused member' 'where?' "$arrive | del(.location)"
event='.type = "Event" | .name = "Sunday lunch" | .startTime = "2026-11-29T12:00:00Z" | .endTime = "2026-11-29T15:00:00Z" | .timezone = "Europe/Berlin"'
shape event K7,K9 accepted 'an event' "$event | $place"
shape event-short K7 accepted 'what and when' "$event | del(.content, .mediaType, .endTime, .timezone)"
shape event-file P56,K7 accepted 'files go with every type' "$event | .attachment = [$file]"
shape event-file-no-size P56 'refused member' 'no size' "$event | .attachment = [$file | del(.size)]"
shape event-no-name K7 'refused member' 'what?' "$event | del(.name)"
shape event-no-start K7 'refused member' 'when?' "$event | del(.startTime, .endTime)"
shape event-day K3,K8 accepted 'a whole day' "$event"' | .startTime = "2026-11-29" | del(.endTime)'
shape event-days K3,K8 accepted 'two whole days' "$event"' | .startTime = "2026-11-28" | .endTime = "2026-11-29"'
shape event-mixed K3 'refused member' 'from a day to a time' "$event"' | .startTime = "2026-11-29"'
shape event-no-such-day K3 'refused time' '30 February' "$event"' | .startTime = "2026-02-30" | del(.endTime)'
shape event-minute K3 'refused time' 'without seconds' "$event"' | .startTime = "2026-11-29T12:00Z" | del(.endTime)'
shape event-offset K3 'refused time' 'with an offset' "$event"' | .endTime = "2026-11-29T16:00:00+01:00"'
shape event-zone-one-word K9 accepted 'a zone of one word' "$event"' | .timezone = "UTC"'
shape event-zone-path K9 'refused member' 'a way out' "$event"' | .timezone = "../../etc/passwd"'
shape event-zone-offset K9 'refused member' 'an offset' "$event"' | .timezone = "+01:00"'
for k in Accept TentativeAccept Reject; do
	answer='del(.content, .mediaType) | .type = "'$k'" | .object = $id | .summary = "an answer"'
	shape "answer-$k" K10 accepted "$k" "$answer"
	shape "answer-$k-no-object" K10 'refused member' 'to what?' "$answer | del(.object)"
	shape "answer-$k-whole" K10 'refused member' 'a whole event' "$answer"' | .object = {type: "Event"}'
done
for k in Listen Read View Travel Activity; do
	did='.type = "'$k'"'
	shape "did-$k" K12 accepted "$k" "$did"
	shape "did-$k-thing" K12 accepted 'the thing, without a text' "$did"' | del(.content, .mediaType) | .object = {type: "Page", name: "Moby Dick", url: "https://example.org/moby"}'
	shape "did-$k-nothing" K12 'refused member' 'nothing said' "$did | del(.content, .mediaType)"
	shape "did-$k-scheme" K12 'refused member' 'javascript' "$did"' | .object = {type: "Page", url: "javascript:alert(1)"}'
	shape "did-$k-no-type" K12 'refused member' 'a thing without type' "$did"' | .object = {name: "Moby Dick"}'
	shape "did-$k-bare" K12 'refused member' 'a thing that says nothing' "$did"' | .object = {type: "Page"}'
done
shape travel-target K12 accepted 'where to is enough' 'del(.content, .mediaType) | .type = "Travel" | .target = {type: "Place", name: "Lisbon"}'
shape travel-origin K4,K12 'refused member' 'a text is no place' '.type = "Travel" | .origin = "Berlin"'
shape listen-target K12 'refused member' 'where to says nothing of music' 'del(.content, .mediaType) | .type = "Listen" | .target = {type: "Place", name: "Lisbon"}'
question='.type = "Question" | .oneOf = [{type: "Note", name: "Pizza"}, {type: "Note", name: "Pasta"}] | .endTime = "2026-11-29T12:00:00Z"'
shape question K14 accepted 'one of two' "$question"
shape question-any K14 accepted 'any of two' "$question | .anyOf = .oneOf | del(.oneOf)"
shape question-both K14 'refused member' 'oneOf and anyOf' "$question | .anyOf = .oneOf"
shape question-neither K14 'refused member' 'no options' "$question | del(.oneOf)"
shape question-silent K14 'refused member' 'what?' "$question | del(.content)"
shape question-one K15 'refused member' 'one option is no choice' "$question | .oneOf |= .[1:]"
shape question-21 K15 'refused member' 'too many' "$question"' | .oneOf = [range(21) | {type: "Note", name: "\(.)"}]'
shape question-20 K15 accepted 'as many as may be' "$question"' | .oneOf = [range(20) | {type: "Note", name: "\(.)"}]'
shape question-nameless K15 'refused member' 'an option without name' "$question | .oneOf[1] |= {type}"
shape question-long K15 'refused member' '201 characters' "$question"' | .oneOf[1].name = "ü" * 201'
shape question-long-enough K15 accepted '200 characters' "$question"' | .oneOf[1].name = "ü" * 200'
shape question-texts K15 'refused member' 'texts are no options' "$question"' | .oneOf = ["Pizza", "Pasta"]'
shape question-twice K15 'refused member' 'a name twice' "$question"' | .oneOf[1].name = "Pizza"'
shape question-day K16 'refused time' 'closes on a day' "$question"' | .endTime = "2026-11-29"'
shape choice K17 accepted 'an answer to a question' '.inReplyTo = $id | .choices = ["Pizza"] | .content = "Pizza"'
shape choice-two K17 accepted 'two of several' '.inReplyTo = $id | .choices = ["Pizza", "Pasta"]'
shape choice-text K17 'refused member' 'no list' '.inReplyTo = $id | .choices = "Pizza"'
shape choice-none K17 'refused member' 'nothing chosen' '.inReplyTo = $id | .choices = []'
shape choice-twice K17 'refused member' 'one thing twice' '.inReplyTo = $id | .choices = ["Pizza", "Pizza"]'
shape choice-empty K17 'refused member' 'an empty one' '.inReplyTo = $id | .choices = [""]'

# --- counts: {question, answer}, posts in wire form; "counts" or "does not count"
ask=$(s "$note" | jq -c "$question")
counts() { # NAME RULE EXPECT WHY FILTER, on a right answer
	s "$note" | jq -cj --argjson ask "$ask" --arg bob "$bob" '.id |= sub("[0-9A-F]{40}"; $bob) | .attributedTo = "openpgp4fpr:\($bob)" | .inReplyTo = $ask.id | .choices = ["Pizza"] |
		{question: $ask, answer: .} | '"$5" | v "counts/$1" "$2" "$3" "$4"
}
any='.question |= (.anyOf = .oneOf | del(.oneOf)) | '
counts one K17,K18 counts 'one of two' .
counts two-of-one K17 'does not count' 'two where one may be' '.answer.choices = ["Pizza", "Pasta"]'
counts two-of-any K17 counts 'two where any may be' "$any"'.answer.choices = ["Pizza", "Pasta"]'
counts other K17 'does not count' 'none of the options' '.answer.choices = ["Soup"]'
counts other-too K17 'does not count' 'one that is an option, and one that is none' "$any"'.answer.choices = ["Pizza", "Soup"]'
counts case K17 'does not count' 'in another case' '.answer.choices = ["pizza"]'
counts comment K17 'does not count' 'a comment, whatever it says' '.answer |= (del(.choices) | .content = "Pizza")'
counts elsewhere K17 'does not count' 'to another question' '.answer.inReplyTo |= sub("k3q5vx2m4f7da"; "aaaaaaaaaaaaa")'
counts at-the-end K18 counts 'in the second in which it closes' '.answer.published = "2026-11-29T12:00:00Z"'
counts late K18 'does not count' 'a second too late' '.answer.published = "2026-11-29T12:00:01Z"'
counts closed-early K18 'does not count' 'the question was closed early, by an edit' '.question.revision = 2 | .question.updated = "2026-11-22T12:34:57Z" | .question.endTime = "2026-11-22T12:34:57Z" | .answer.published = "2026-11-22T12:34:58Z"'
counts closed-early-before K18 counts 'answered before it was closed early' '.question.revision = 2 | .question.updated = "2026-11-22T12:34:57Z" | .question.endTime = "2026-11-22T12:34:57Z" | .answer.published = "2026-11-22T12:34:57Z"'
counts edited-late K18 'does not count' 'changed too late' '.answer.updated = "2026-11-29T12:00:01Z" | .answer.revision = 2'
counts open K18 counts 'it never closes' '.question |= del(.endTime) | .answer.published = "2027-11-29T12:00:01Z"'
