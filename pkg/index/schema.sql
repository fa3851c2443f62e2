-- What the files say, to be found fast. Everything here can be made again from
-- the files, but for offer and peer: they spare questions to friends.

CREATE TABLE author (n INTEGER PRIMARY KEY, fpr TEXT NOT NULL UNIQUE);

-- Each audience is stored once: a reader's rights are worked out per audience,
-- not per post. members is empty for only me.
-- changes grows with every change of a post of it, so that what was worked out
-- can be kept until then.
CREATE TABLE audience (n INTEGER PRIMARY KEY, members TEXT NOT NULL UNIQUE, changes INTEGER NOT NULL DEFAULT 0);

-- The same for the posts of an audience in one month, so that a new post costs a
-- reader's digest one month, not all of them.
CREATE TABLE audience_month (audience INTEGER NOT NULL, month TEXT NOT NULL, changes INTEGER NOT NULL, PRIMARY KEY (audience, month)) WITHOUT ROWID;

-- The month lines of what is held of an author, made when they are asked for;
-- count is -1 where a post or an offer of that month changed since.
CREATE TABLE month_line (author INTEGER NOT NULL, month TEXT NOT NULL, count INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (author, month)) WITHOUT ROWID;

-- The same of what is offered: what was worked out once holds for every reader
-- who may see the posts of these audiences, as long as none of them changes.
CREATE TABLE offered_month (
  n     INTEGER PRIMARY KEY,
  month TEXT NOT NULL,
  key   TEXT NOT NULL, -- names the audiences, and counts their changes
  count INTEGER NOT NULL, hash BLOB NOT NULL,
  UNIQUE (month, key)
);

CREATE TABLE post (
  author   INTEGER NOT NULL,
  position TEXT NOT NULL,
  revision INTEGER NOT NULL, -- of the text that was last found signed
  hash     BLOB NOT NULL,    -- of its signed bytes
  updated  TEXT NOT NULL,
  type     TEXT NOT NULL,
  audience INTEGER NOT NULL,
  public   INTEGER NOT NULL,
  expires  INTEGER NOT NULL, -- Unix seconds; 0 is never
  reply    TEXT NOT NULL,    -- the id it answers, likes or repeats
  received INTEGER NOT NULL, -- Unix seconds: when its file was written
  place    TEXT NOT NULL,    -- in the timeline: its position, but never later than received
  state    INTEGER NOT NULL,
  why      TEXT NOT NULL,
  grown    TEXT NOT NULL,    -- what was added to its audience by hand
  size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, ino INTEGER NOT NULL,
  sum      BLOB NOT NULL,    -- of the file
  PRIMARY KEY (author, position)
) WITHOUT ROWID;
CREATE INDEX post_audience ON post (author, audience, position, expires, revision, hash) WHERE state = 0;
CREATE INDEX post_place ON post (place, type, audience, expires) WHERE state = 0; -- all that a timeline is chosen by
CREATE INDEX post_state ON post (state) WHERE state > 0;
CREATE INDEX post_expires ON post (author, audience, expires) WHERE expires > 0;
-- When everybody's posts changed, at no look at any other post.
CREATE INDEX post_public ON post (author, position) WHERE public = 1 AND state <= 1 AND why = '';
CREATE INDEX post_public_updated ON post (author, updated) WHERE public = 1 AND state <= 1 AND why = '';
CREATE INDEX post_public_expires ON post (author, expires) WHERE public = 1 AND state <= 1 AND why = '' AND expires > 0;
CREATE INDEX post_odd ON post (author) WHERE why <> '' OR grown <> '';
CREATE INDEX post_reply ON post (reply) WHERE reply <> '';

-- The files that everybody's posts name, by the hash under which anybody may ask
-- for them: only of posts that are public, so that how long it takes to find one
-- tells nothing of the others.
CREATE TABLE public_file (
  sha256 TEXT NOT NULL, author INTEGER NOT NULL, position TEXT NOT NULL,
  PRIMARY KEY (sha256, author, position)
) WITHOUT ROWID;
CREATE INDEX public_file_post ON public_file (author, position);

-- Posts that name files of which not all are known to be here.
CREATE TABLE wanting (author INTEGER NOT NULL, position TEXT NOT NULL, PRIMARY KEY (author, position)) WITHOUT ROWID;

-- Files in a feed's folders that are no post at its place.
CREATE TABLE stray (
  dir TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, why TEXT NOT NULL,
  size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, ino INTEGER NOT NULL,
  PRIMARY KEY (dir, name)
) WITHOUT ROWID;

-- sum is of the names and stats of its files: as long as it is the same, no row
-- of them needs to be asked for.
CREATE TABLE dir (path TEXT PRIMARY KEY, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;

-- What a reader knows of a post of somebody else beside the text he holds: the
-- line that was last offered, for which text it was noted, and whether it is
-- offered no more.
CREATE TABLE offer (
  author INTEGER NOT NULL, position TEXT NOT NULL,
  revision INTEGER NOT NULL, -- 0: no line is noted
  hash BLOB NOT NULL,
  held BLOB NOT NULL,        -- hash of the text held when it was noted; empty: none
  refused BLOB NOT NULL,     -- the certificate by which it was refused; empty: it was beaten
  marked INTEGER NOT NULL,
  asked INTEGER NOT NULL,    -- when it was last named in a question
  PRIMARY KEY (author, position)
) WITHOUT ROWID;

CREATE TABLE peer (
  author INTEGER PRIMARY KEY,
  tried INTEGER NOT NULL, reached INTEGER NOT NULL, -- Unix seconds
  message TEXT NOT NULL,  -- of the last failure; empty: there was none
  unequal INTEGER NOT NULL, -- pulls in a row that did not come to agree
  count INTEGER NOT NULL,
  looked TEXT NOT NULL,   -- the folder of the copies whose files were last looked at in turn
  ahead INTEGER NOT NULL, -- how many more of them than it was their turn
  backed INTEGER NOT NULL -- whether he has asked back
);

-- What was put and dropped, in order, with what it says as long as that was not
-- taken into text: taking it in costs ten times as much as writing it down here,
-- and a pull need not wait for it.
CREATE TABLE news (
  n INTEGER PRIMARY KEY, -- none is ever deleted, so it grows
  author INTEGER NOT NULL, position TEXT NOT NULL,
  text TEXT -- NULL: it was taken in, or there is none any more
);

-- How far news was followed, and by which marks; one row.
CREATE TABLE followed (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  text    INTEGER NOT NULL, -- the n up to which news is in text
  unread  INTEGER NOT NULL, -- and in unread
  marks   BLOB NOT NULL     -- names the marks by which it is in unread
);
INSERT INTO followed VALUES (1, 0, 0, '');

-- Full text. A document's number is the millisecond of its place in time, or one
-- shortly after, so that the newest come first without any sorting.
CREATE TABLE document (n INTEGER PRIMARY KEY, author INTEGER NOT NULL, position TEXT NOT NULL, UNIQUE (author, position));
CREATE VIRTUAL TABLE text USING fts5 (words, content='', contentless_delete=1, tokenize='ascii');
INSERT INTO text (text, rank) VALUES ('hashsize', 8388608); -- bytes that are gathered before they are written

-- Posts of others that bear no mark of having been read.
CREATE TABLE unread (author INTEGER NOT NULL, position TEXT NOT NULL, PRIMARY KEY (author, position)) WITHOUT ROWID;
