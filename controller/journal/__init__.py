"""What was decided and on which evidence: entries, their writer and reader. The journal decides nothing."""
