"""Where experts answer: a page of their own, behind a link, without an account."""
