package home

import "github.com/p2ps/p2ps/pkg/feed"

// MakePlaces makes the directories into which a person may put files by hand, so
// that he finds them; the others are made when they are needed.
func (h *Home) MakePlaces() error {
	for _, dir := range []string{"friends", "follows", "groups", "blocked", string(feed.Mine)} {
		if err := h.root.Mkdir(dir); err != nil {
			return err
		}
	}
	return nil
}
