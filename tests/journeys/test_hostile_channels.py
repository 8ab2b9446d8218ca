"""Channels when who is at the other end, or who may test them, means ill: nobody else pays for it."""
import socket
import threading
import types
import unittest

from support.gateway import Gateway, eventually
from support.peers import MailServer, Receiver

FAREWELL_SECONDS = 20  # how long one that hangs would be waited for


class HostileChannels(unittest.TestCase):
    def gateway(self, channels, **more):
        gateway = Gateway(**more)
        gateway.extra_config = "channels:\n" + channels
        self.addCleanup(gateway.__exit__, None, None, None)
        gateway.start()
        self.dana = gateway.add_person("dana", ["oncall"])
        self.key = gateway.add_caller()
        return gateway

    def receiver(self):
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        return receiver

    def template(self, receiver, name="chat", more=""):
        return (f"  - name: {name}\n    kind: template\n    template: mattermost\n    url: {receiver.url}\n    allow_http: true\n"
                f"    allow_networks: [127.0.0.0/8]\n{more}")

    def mail(self, server, more=""):
        return (f"  - name: mail\n    kind: mail\n    url: smtp://127.0.0.1:{server.port}\n    allow_plain: true\n"
                f"    allow_networks: [127.0.0.0/8]\n    from: countersign@example.com\n{more}")

    def notices(self, gateway, query=""):
        return gateway.admin("GET", "/v1/notices" + query)["notices"]

    def test_a_test_to_a_person_who_is_not_there_stops_nobody_elses_notices(self):
        server, receiver = MailServer(), self.receiver()
        self.addCleanup(server.stop)
        gateway = self.gateway(self.mail(server) + self.template(receiver))
        gateway.admin("POST", "/v1/channels/mail/test", {"to": "per_00000000000000000000000000"})
        gateway.submit(self.key)
        eventually(lambda: receiver.came, "the other channel is told")
        (ended,) = self.notices(gateway, "?channel=mail")
        self.assertIn(ended["state"], ("stale", "dead"))

    def test_a_test_goes_nowhere_of_its_own_where_a_channel_has_one_place(self):
        receiver = self.receiver()
        gateway = self.gateway(self.template(receiver))
        refused = gateway.admin("POST", "/v1/channels/chat/test", {"to": "https://evil.example/"}, want=(400,))
        self.assertEqual("no_address", refused["code"])
        gateway.admin("POST", "/v1/channels/chat/test")
        eventually(lambda: receiver.came, "its own place is tried")

    def test_an_address_that_looks_like_an_id_is_an_address(self):
        server = MailServer()
        self.addCleanup(server.stop)
        gateway = self.gateway(self.mail(server, "    to: [per_team@example.com]\n"))
        gateway.submit(self.key)
        eventually(lambda: server.letters, "it is told")
        self.assertEqual(["per_team@example.com"], server.letters[0][1])

    def test_who_is_asked_no_more_is_not_told_what_an_edit_made_of_it(self):
        server = MailServer()
        self.addCleanup(server.stop)
        gateway = self.gateway(self.mail(server))
        gateway.add_person("omar", ["oncall"])
        for name in ("dana", "omar"):
            gateway.admin("POST", f"/v1/people/{name}/addresses", {"kind": "mail", "address": f"{name}@example.com"})
        asked = gateway.submit(self.key, args={"note": "first"})
        eventually(lambda: len(self.notices(gateway, "?state=sent")) == 2, "both are asked")
        gateway.admin("DELETE", "/v1/groups/oncall/members/omar")
        gateway.ok("POST", f"/v1/requests/{asked['id']}/edits", {"revision": 1, "digest": asked["digest"], "args": {"note": "second"}}, self.dana)
        eventually(lambda: len(self.notices(gateway, "?state=waiting")) == 0 and len(server.letters) >= 3, "the edit is told")
        told = [to for _, (to,), letter in server.letters if "second" in letter.get_body(("plain",)).get_content()]
        self.assertEqual(["dana@example.com"], told)

    def test_a_mail_server_that_does_not_say_good_bye_holds_up_nobody(self):
        server, receiver = MailServer(), self.receiver()
        self.addCleanup(server.stop)
        server.says_good_bye = False
        gateway = self.gateway(self.mail(server, "    to: [ops@example.com]\n") + self.template(receiver))
        gateway.submit(self.key, args={"amount": 1})
        eventually(lambda: server.letters, "the letter is there")
        gateway.submit(self.key, args={"amount": 2})
        eventually(lambda: len(receiver.came) == 2, "the other channel is told", FAREWELL_SECONDS / 2)
        eventually(lambda: len(self.notices(gateway, "?channel=mail&state=sent")) == 2, "both letters are settled")
        self.assertEqual(2, len(server.letters))

    def test_a_mail_server_that_says_nothing_at_all_does_not_keep_the_gateway_from_stopping(self):
        mute = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(mute.close)
        mute.settimeout(20)
        place = types.SimpleNamespace(port=mute.getsockname()[1])
        gateway = self.gateway(self.mail(place, "    to: [ops@example.com]\n"))
        gateway.submit(self.key)
        connection, _ = mute.accept()
        self.addCleanup(connection.close)
        self.assertEqual(0, gateway.stop(within=FAREWELL_SECONDS / 2))

    def test_a_retry_after_of_all_there_is_is_no_reason_to_fall_over_or_silent(self):
        receiver = self.receiver()
        receiver.answers = [(503, {"Retry-After": text}, b"") for text in ("9223372036854775807", "-9223372036854775808", "9223372036854775")]
        gateway = self.gateway(self.template(receiver))
        gateway.submit(self.key)
        for count in range(1, 5):
            eventually(lambda: len(receiver.came) == count, f"attempt {count}")
            if count < 4:
                eventually(lambda: self.notices(gateway)[0]["attempts"] == count, "it is settled")
                gateway.advance(60)
        eventually(lambda: self.notices(gateway, "?state=sent"), "it is told in the end")

    def test_what_waited_long_for_its_turn_is_not_sent_twice(self):
        receiver = self.receiver()
        release = threading.Event()
        self.addCleanup(release.set)

        def slow(handler):
            release.wait(20)
            handler.send_response(200)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        gateway = self.gateway(self.template(receiver, more="    limits: { per_second: 1 }\n"))
        for amount in range(4):
            gateway.submit(self.key, args={"amount": amount})
        eventually(lambda: self.notices(gateway, "?state=sent"), "the first is told")
        receiver.otherwise = slow
        gateway.advance(30)
        eventually(lambda: len(receiver.came) >= 3, "more go")
        gateway.advance(35)
        gateway.submit(self.key, args={"amount": 4})
        eventually(lambda: len(receiver.came) >= 5, "the last goes")
        release.set()
        eventually(lambda: len(self.notices(gateway, "?state=sent")) == 5, "all are told")
        asked = [body["text"].split("/requests/")[1][:30] for body in receiver.bodies()]
        self.assertEqual(sorted(set(asked)), sorted(asked))

    def test_an_answer_that_is_too_long_is_still_an_answer(self):
        receiver = self.receiver()
        receiver.answers = [(200, {}, b"x" * 200_000), (500, {}, b"y" * 200_000)]
        gateway = self.gateway(self.template(receiver))
        gateway.submit(self.key, args={"amount": 1})
        (told,) = eventually(lambda: self.notices(gateway, "?state=sent"), "it is told")
        self.assertTrue(told["answer"].startswith("200 xxx"), told)
        gateway.submit(self.key, args={"amount": 2})
        eventually(lambda: [notice for notice in self.notices(gateway) if notice.get("last_error") == "answered 500"], "the second is refused")
        self.assertEqual(2, len(receiver.came), "and neither is said to have failed otherwise")

    def test_endless_headers_are_cut_off(self):
        receiver = self.receiver()
        came = [0]

        def endless(handler):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            try:
                while True:
                    came[0] += handler.wfile.write(b"x-more: " + b"x" * 8000 + b"\r\n")
            except OSError:
                pass
        receiver.answers = [endless]
        gateway = self.gateway(self.template(receiver))
        gateway.submit(self.key)
        eventually(lambda: [notice for notice in self.notices(gateway) if notice["attempts"] == 1], "it is given up")
        self.assertLess(came[0], 8_000_000)

    def test_many_channels_that_hang_hold_up_none_that_works(self):
        hanging, receiver = [self.receiver() for _ in range(10)], self.receiver()
        release = threading.Event()
        self.addCleanup(release.set)
        for one in hanging:
            one.otherwise = lambda _: release.wait(30)
        gateway = self.gateway("".join(self.template(one, f"h{number}") for number, one in enumerate(hanging)) + self.template(receiver))
        for amount in range(10):
            gateway.submit(self.key, args={"amount": amount})
        eventually(lambda: sum(len(one.came) for one in hanging) >= 80, "those that hang are busy")
        gateway.submit(self.key, args={"amount": 99})
        eventually(lambda: len(receiver.came) == 11, "the last is told while the others still hang", FAREWELL_SECONDS / 2)
        self.assertFalse(release.is_set())


if __name__ == "__main__":
    unittest.main()
