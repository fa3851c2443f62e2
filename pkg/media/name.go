package media

import (
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is how long a file name may be, in bytes.
const maxName = 100

// FileName makes a foreign or private name one that is safe to give to a file,
// here and on other systems: one path component of letters, digits and
// " ._-()+", not hidden, no device of Windows. A name whose ending does not say
// what the file is gets one that does. "" stays "".
// FileName(FileName(s, m), m) == FileName(s, m).
func FileName(raw, mediaType string) string {
	name := raw[strings.LastIndexAny(raw, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune(" ._-()+", r) {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(name, "_"))
	name = trim(name)
	if name == "" {
		return ""
	}
	ending := extension(mediaType)
	has := strings.ToLower(path.Ext(name))
	if ending == "" || has == ending || slices.Contains(alike()[ending], has) {
		ending = ""
	}
	stem, own := name, ""
	if i := strings.LastIndexByte(name, '.'); ending == "" && i > 0 && len(name)-i <= 16 {
		stem, own = name[:i], name[i:]
	}
	for len(stem)+len(own)+len(ending) > maxName {
		_, n := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-n]
	}
	if device(stem) {
		stem = "_" + stem
	}
	return trim(stem + own + ending)
}

func trim(name string) string {
	return strings.TrimRight(strings.TrimLeftFunc(name, func(r rune) bool { return unicode.IsMark(r) || strings.ContainsRune(" .-", r) }), " .")
}

// alike are endings that are as good as the usual one.
func alike() map[string][]string {
	return map[string][]string{
		".jpg": {".jpeg", ".jpe", ".jfif"}, ".png": {".apng"}, ".html": {".htm"}, ".mp4": {".m4v"}, ".tiff": {".tif"}, ".mid": {".midi"},
		".zip": {".docx", ".xlsx", ".pptx", ".odt", ".jar", ".epub", ".apk"}, ".gz": {".tgz"}, ".xml": {".svg", ".gpx", ".rss"}, ".json": {".geojson", ".jsonl"},
		".oga": {".ogg", ".opus"}, ".ogv": {".ogg"}, ".ogg": {".oga", ".ogv", ".opus"}, ".m4a": {".mp4", ".aac"}, ".mov": {".qt"},
	}
}

// device tells the names that Windows keeps for its devices.
func device(stem string) bool {
	s, _, _ := strings.Cut(strings.ToUpper(stem), ".")
	s = strings.TrimRight(s, " ")
	if len(s) == 4 && (strings.HasPrefix(s, "COM") || strings.HasPrefix(s, "LPT")) && s[3] >= '0' && s[3] <= '9' {
		return true
	}
	return slices.Contains([]string{"CON", "PRN", "AUX", "NUL"}, s)
}
