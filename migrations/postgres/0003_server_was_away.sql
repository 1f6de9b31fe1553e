-- Whether the servers were away since the last report of a running attempt: if its lease runs out, that is why.
ALTER TABLE run ADD COLUMN server_was_away BOOLEAN NOT NULL DEFAULT FALSE;
