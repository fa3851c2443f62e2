package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// What a picture tells beside itself is gone, and told; its pixels are the same.
// spec: P59
func TestClean(t *testing.T) {
	for name, c := range map[string]struct {
		data    []byte
		kind    string
		removed []string
	}{
		"jpeg": {dirtyJPEG(t, 6), "image/jpeg", []string{"EXIF", "IPTC", "XMP", "a comment", "a thumbnail", "further pictures", "the GPS position", "what a program noted (APP12)", "51 bytes after its end"}},
		"png":  {dirtyPNG(t, 6), "image/png", []string{"EXIF", "XMP", "a text (Author)", "a text (Comment)", "a thumbnail", "the GPS position", `a chunk "prVt"`, "the time of its last change", "24 bytes after its end"}},
		"gif":  {dirtyGIF(t), "image/gif", []string{"XMP", "a comment", "a text", "what a program noted (FF)", "24 bytes after its end"}},
		"webp": {dirtyWebP(8), "image/webp", []string{"EXIF", "XMP", "a thumbnail", "the GPS position", `a chunk "NOTE"`, `a chunk "prVt"`, "24 bytes after its end"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := look(t, c.data)
			out := shared(t, p, c.data)
			if p.MediaType != c.kind || !p.Cleaned || p.Width != 40 || p.Height != 24 {
				t.Errorf("%s of %d × %d, cleaned %v", p.MediaType, p.Width, p.Height, p.Cleaned)
			}
			slices.Sort(c.removed)
			if slices.Sort(p.Removed); !slices.Equal(p.Removed, c.removed) {
				t.Errorf("removed %q\nwant %q", p.Removed, c.removed)
			}
			if bytes.Contains(out, []byte("canary")) {
				t.Error("the canary is shared")
			}
			if !bytes.Contains(c.data, []byte(canary)) {
				t.Error("there was no canary: the test cannot fail")
			}
			if again := look(t, out); len(again.Removed) > 0 && !slices.Equal(again.Removed, []string{"EXIF"}) || !bytes.Equal(shared(t, again, out), out) {
				t.Errorf("cleaned twice it is another: %q", again.Removed)
			}
			if name != "webp" {
				samePixels(t, name, c.data, out)
			}
		})
	}
}

func samePixels(t *testing.T, name string, a, b []byte) {
	t.Helper()
	decode := func(data []byte) any {
		var m any
		var err error
		switch name {
		case "jpeg":
			m, err = jpeg.Decode(bytes.NewReader(data))
		case "png":
			m, err = png.Decode(bytes.NewReader(data))
		case "gif":
			m, err = gif.DecodeAll(bytes.NewReader(data))
		}
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	was, now := decode(a), decode(b)
	if !reflect.DeepEqual(was, now) {
		t.Error("the pixels are others")
	}
	if g, ok := now.(*gif.GIF); ok && (len(g.Image) != 2 || g.LoopCount != 3 || !slices.Equal(g.Delay, []int{7, 9})) {
		t.Errorf("%d frames, %v, %d times", len(g.Image), g.Delay, g.LoopCount)
	}
}

// A picture is turned as it was: of EXIF that alone is kept, once, where it is
// not upright.
func TestOrientation(t *testing.T) {
	for o := uint16(0); o <= 9; o++ {
		for name, data := range map[string][]byte{"jpeg": dirtyJPEG(t, o), "png": dirtyPNG(t, o), "webp": dirtyWebP(o)} {
			out := shared(t, look(t, data), data)
			want := 0
			if o >= 2 && o <= 8 {
				want = 1
			}
			if got := bytes.Count(out, orientation(byte(o))); got != want {
				t.Errorf("%s: orientation %d stands in it %d times", name, o, got)
			}
			if n := bytes.Count(out, []byte("MM\x00*")) + bytes.Count(out, []byte("II*\x00")); n != want {
				t.Errorf("%s: orientation %d: %d structures of EXIF", name, o, n)
			}
		}
	}
}

// The WebP that comes out is one: its sizes add up, and its flags say what is in
// it.
func TestWebPAddsUp(t *testing.T) {
	for o, flags := range map[uint16]byte{1: 0x22, 6: 0x2A} {
		data := dirtyWebP(o)
		out := shared(t, look(t, data), data)
		if got := int(binary.LittleEndian.Uint32(out[4:])) + 8; got != len(out) {
			t.Errorf("it says %d bytes and has %d", got, len(out))
		}
		var names []string
		for at := 12; at < len(out); {
			n := int(binary.LittleEndian.Uint32(out[at+4:]))
			names = append(names, string(out[at:at+4]))
			at += 8 + n + n%2
		}
		want := []string{"VP8X", "ICCP", "ANIM", "ANMF", "ANMF", "VP8L"}
		if o != 1 {
			want = append(want, "EXIF")
		}
		if !slices.Equal(names, want) || out[20] != flags {
			t.Errorf("orientation %d: chunks %q, flags %02X", o, names, out[20])
		}
	}
}

// Colours stay: profiles, and how a program mixed them.
func TestColoursStay(t *testing.T) {
	kept := map[string][]byte{"ICC": segment(0xE2, "ICC_PROFILE\x00\x01\x01colours"), "Adobe": segment(0xEE, "Adobe\x00\x64\x00\x00\x00\x00\x01")}
	data := dirtyJPEG(t, 1)
	for _, s := range kept {
		data = slices.Concat(data[:2], s, data[2:])
	}
	out := shared(t, look(t, data), data)
	for name, s := range kept {
		if !bytes.Contains(out, s) {
			t.Errorf("%s is gone", name)
		}
	}
}

// Decoys cost next to nothing, and are what they are and not what they say.
func TestDecoys(t *testing.T) {
	huge := hugePNG(t)
	if len(huge) > 60<<10 {
		t.Fatalf("the huge picture has %d bytes", len(huge))
	}
	p := look(t, huge)
	if p.Width != 20_000 || p.Height != 20_000 || !bytes.Equal(shared(t, p, huge), huge) {
		t.Errorf("the huge picture: %+v", p)
	}
	long := longGIF()
	if p = look(t, long); len(p.pieces) != 1 || !bytes.Equal(shared(t, p, long), long) {
		t.Errorf("the long GIF is in %d pieces", len(p.pieces))
	}
	zip := []byte("PK\x03\x04\x14\x00\x00\x00\x00\x00" + canary)
	if p = look(t, zip); p.MediaType != "application/zip" || p.Cleaned || Kind(p.MediaType) != "Document" {
		t.Errorf("the zip is a %s", p.MediaType)
	}
	if got := FileName("picture.png", "application/zip"); got != "picture.png.zip" {
		t.Errorf("it is called %s", got)
	}
}

// With keep everything is shared as it is, also of what is damaged.
func TestKeep(t *testing.T) {
	for _, data := range [][]byte{dirtyJPEG(t, 6), dirtyPNG(t, 6)[:60], nil} {
		p, err := Look(bytes.NewReader(data), int64(len(data)), true)
		if err != nil || p.Cleaned || len(p.Removed) > 0 || !bytes.Equal(shared(t, p, data), data) {
			t.Errorf("%+v, %v", p, err)
		}
	}
}

// What cannot be walked to its end is refused, and says why.
func TestMalformed(t *testing.T) {
	jpg, pic := dirtyJPEG(t, 1), dirtyPNG(t, 1)
	var plain bytes.Buffer
	_ = png.Encode(&plain, image.NewGray(image.Rect(0, 0, 1, 1)))
	sos := bytes.Index(jpg, []byte{0xFF, 0xDA})
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"jpeg cut in a segment":     {jpg[:30], "it is cut off"},
		"jpeg without a marker":     {slices.Concat(jpg[:2], []byte("\xFF\xE1\x00\x02xx")), "no marker where one should be"},
		"jpeg with a short segment": {slices.Concat(jpg[:2], []byte("\xFF\xFE\x00\x01")), "a segment of -1 bytes"},
		"jpeg in a jpeg":            {slices.Concat(jpg[:sos], jpg), "a JPEG within it"},
		"png cut in its data":       {pic[:len(pic)-len(canary)-20], "it is cut off"},
		"png without a header":      {append([]byte(pngSignature), pngChunk("IDAT", nil)...), "it does not begin with its header, or has two"},
		"png with two":              {slices.Concat(plain.Bytes()[:33], plain.Bytes()[8:]), "it does not begin with its header, or has two"},
		"png of another program":    {slices.Concat(plain.Bytes()[:33], pngChunk("CgBI", nil)), `it needs a chunk "CgBI", which is not known`},
		"png with a great chunk":    {slices.Concat(plain.Bytes()[:33], []byte("\x80\x00\x00\x00IDAT")), "a chunk of 2147483648 bytes"},
		"gif with another block":    {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00\x99"), "a block 99"},
		"gif cut in a frame":        {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00\x2C\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x05\x44"), "it is cut off"},
		"gif with a long control":   {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00\x21\xF9\x05\x00\x00\x00\x00\x00\x00"), "a control block of 9 bytes"},
		"webp longer than it is":    {[]byte("RIFF\xFF\x00\x00\x00WEBPVP8L\x01\x00\x00\x00\x2F"), "it is cut off"},
		"webp with a great chunk":   {riff("VP8L\xFF\x00\x00\x00\x2F"), "a chunk of 255 bytes"},
		"webp with a short header":  {riff(chunk("VP8X", "\x00")), "a header of 1 bytes"},
		"webp with a short frame":   {riff(chunk("VP8X", "0123456789"), chunk("ANMF", "\x00")), "a frame of 1 bytes"},
		"webp of three in a frame":  {riff(chunk("VP8X", "0123456789"), chunk("ANMF", "0123456789abcdef"+strings.Repeat(chunk("VP8L", coded), 3))), "a frame of more than one picture"},
	} {
		_, err := Look(bytes.NewReader(c.data), int64(len(c.data)), false)
		if want := "the picture is damaged: " + c.want; !errors.Is(err, ErrMalformed) || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", name, err, want)
		}
	}
}

// A picture of a hundred thousand comments is not looked at to its end.
func TestPieces(t *testing.T) {
	data := []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00")
	for range maxPieces + 1 {
		data = append(data, "\x21\xFE\x00\x2C\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x00"...)
	}
	if _, err := Look(bytes.NewReader(data), int64(len(data)), false); !errors.Is(err, ErrPieces) {
		t.Error(err)
	}
}

func TestFileName(t *testing.T) {
	for _, c := range [][3]string{
		{"photo.jpg", "image/jpeg", "photo.jpg"}, {"photo.JPEG", "image/jpeg", "photo.JPEG"}, {"photo", "image/jpeg", "photo.jpg"},
		{"/etc/passwd", "text/plain", "passwd"}, {`C:\secret\plan.pdf`, "application/pdf", "plan.pdf"}, {"../../x.png", "image/png", "x.png"},
		{"..", "image/png", ""}, {".bashrc", "text/plain", "bashrc"}, {"-rf", "text/plain", "rf"}, {"a\x1b[31m\u202Egpj.exe", "application/octet-stream", "a__31m_gpj.exe"},
		{"CON", "text/plain", "_CON"}, {"nul.png", "image/png", "_nul.png"}, {"com1 .png", "image/png", "_com1 .png"}, {"Übung 3 (neu).pdf", "application/pdf", "Übung 3 (neu).pdf"},
		{"report.pdf", "application/zip", "report.pdf.zip"}, {"sheet.xlsx", "application/zip", "sheet.xlsx"}, {"a. . .", "text/plain", "a"}, {"", "image/png", ""},
		{strings.Repeat("é", 100) + ".png", "image/png", strings.Repeat("é", 48) + ".png"}, {"\xff\xfe.png", "image/png", "_.png"},
		{"x\x00y.txt", "text/plain", "x_y.txt"}, {"\u0301x", "text/plain", "x"},
	} {
		if got := FileName(c[0], c[1]); got != c[2] {
			t.Errorf("FileName(%q, %s) = %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestKind(t *testing.T) {
	for m, want := range map[string]string{"image/png": "Image", "audio/mpeg": "Audio", "video/mp4": "Video", "application/pdf": "Document", "image": "Image", "": "Document"} {
		if got := Kind(m); got != want {
			t.Errorf("%q is %s", m, got)
		}
	}
}

func ExampleLook() {
	data := []byte("just a text")
	p, _ := Look(bytes.NewReader(data), int64(len(data)), false)
	fmt.Println(p.MediaType, p.Size(), p.Cleaned)
	// Output: text/plain 11 false
}
