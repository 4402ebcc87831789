/* What the specification warns of: the calls have just been made, and the page is left before anything can run. */
location.replace("/welcome");
