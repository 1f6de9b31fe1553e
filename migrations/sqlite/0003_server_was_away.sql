-- Whether the server was away since the last report of a running attempt: if its lease runs out, that is why.
ALTER TABLE run ADD COLUMN server_was_away INTEGER NOT NULL DEFAULT 0 CHECK (server_was_away IN (0, 1));
