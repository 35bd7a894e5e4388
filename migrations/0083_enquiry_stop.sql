-- Answers and packages for a regulator whose dataset holds somebody who asked to stop: gone from then on. Owner:
-- kiban-journeys.

ALTER TABLE journeys_submission ADD COLUMN erased_at TEXT;
ALTER TABLE journeys_enquiry_answer ADD COLUMN erased_at TEXT;
