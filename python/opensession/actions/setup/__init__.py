"""Setting a clone up, checking it, and taking the setup back.

`facts` and `machine` look, `checks` and `plan` judge what was seen, `apply` and `undo` change. The rest owns one thing
each: the hook's text, its place, the launchers, the consent to send, what happens beside a push.
"""
