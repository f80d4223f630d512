//! Tokens of services for messages, money, mail and the rest.

use crate::redact::rule::Rule;

pub fn rules() -> Vec<Rule> {
    vec![
        Rule::loud("slack-bot-token", "Slack bot token", &["xoxb-"], r"xoxb-[0-9]{10,13}-[0-9]{10,13}[A-Za-z0-9-]*"),
        Rule::loud(
            "slack-legacy-bot-token",
            "Slack bot token, old form",
            &["xoxb-"],
            r"xoxb-[0-9]{8,14}-[A-Za-z0-9]{18,26}",
        ),
        Rule::loud(
            "slack-user-token",
            "Slack user token",
            &["xoxp-", "xoxe-"],
            r"xox[pe](?:-[0-9]{10,13}){3}-[A-Za-z0-9-]{28,34}",
        ),
        Rule::loud("slack-app-token", "Slack app token", &["xapp-"], r"(?i:xapp-[0-9]-[A-Z0-9]+-[0-9]+-[a-z0-9]+)"),
        Rule::loud(
            "slack-config-access-token",
            "Slack configuration token",
            &["xoxe"],
            r"(?i:xoxe.xox[bp]-[0-9]-[A-Z0-9]{163,166})",
        ),
        Rule::loud(
            "slack-config-refresh-token",
            "Slack configuration refresh token",
            &["xoxe-"],
            r"(?i:xoxe-[0-9]-[A-Z0-9]{146})",
        ),
        Rule::loud(
            "slack-legacy-token",
            "Slack token, old form",
            &["xoxo-", "xoxs-"],
            r"xox[os]-[0-9]+-[0-9]+-[0-9]+-[A-Fa-f0-9]+",
        ),
        Rule::loud(
            "slack-legacy-workspace-token",
            "Slack workspace token",
            &["xoxa-", "xoxr-"],
            r"xox[ar]-(?:[0-9]-)?[0-9A-Za-z]{8,48}",
        ),
        Rule::loud(
            "slack-webhook-url",
            "Slack webhook",
            &["hooks"],
            r"hooks.slack.com\\*/(?:services|workflows|triggers)\\*/([A-Za-z0-9+/\\]{43,80})",
        ),
        Rule::loud(
            "microsoft-teams-webhook",
            "Microsoft Teams webhook",
            &[".webhook.office.com"],
            r"\.webhook\.office\.com/webhookb2/([a-z0-9]{8}-(?:[a-z0-9]{4}-){3}[a-z0-9]{12}@[a-z0-9]{8}-(?:[a-z0-9]{4}-){3}[a-z0-9]{12}/IncomingWebhook/[a-z0-9]{32}/[a-z0-9]{8}-(?:[a-z0-9]{4}-){3}[a-z0-9]{12})",
        ),
        Rule::loud(
            "discord-webhook-url",
            "Discord webhook",
            &["discord.com/api/webhooks", "discordapp.com/api/webhooks"],
            r"discord(?:app)?\.com/api/webhooks/([0-9]{17,20}/[\w-]{60,80})",
        ),
        Rule::token(
            "stripe-access-token",
            "Stripe key",
            &["sk_test", "sk_live", "sk_prod", "rk_test", "rk_live", "rk_prod"],
            r"[sr]k_(?:test|live|prod)_([A-Za-z0-9]{10,99})",
        ),
        Rule::loud("stripe-webhook-secret", "Stripe webhook secret", &["whsec_"], r"whsec_[A-Za-z0-9+/=]{32,64}"),
        Rule::token("square-access-token", "Square token", &["sq0atp-", "eaaa"], r"(?:EAAA|sq0atp-)[\w-]{22,60}"),
        Rule::token(
            "facebook-page-access-token",
            "Facebook page token",
            &["eaam", "eaac"],
            r"EAA[MC](?i:[a-z0-9]{100,})",
        )
        .any_case(),
        Rule::inner(
            "facebook-access-token",
            "Facebook app token",
            &[
                "0|", "1|", "2|", "3|", "4|", "5|", "6|", "7|", "8|", "9|", "0%", "1%", "2%", "3%", "4%", "5%", "6%",
                "7%", "8%", "9%",
            ],
            r"[0-9]{15,16}(?:\||%)[0-9a-z_-]{27,40}",
            (14, 15),
        ),
        Rule::loud("sendgrid-api-token", "SendGrid key", &["sg."], r"SG\.(?i:[a-z0-9=_.-]{66})").apart(),
        Rule::loud("sendinblue-api-token", "Brevo key", &["xkeysib-"], r"xkeysib-(?i:[a-f0-9]{64}-[a-z0-9]{16})"),
        Rule::token("mailgun-private-api-token", "Mailgun private key", &["key-"], r"key-[a-f0-9]{32}").any_case(),
        Rule::token("mailgun-pub-key", "Mailgun public validation key", &["pubkey-"], r"pubkey-[a-f0-9]{32}")
            .any_case(),
        Rule::token("twilio-api-key", "Twilio key", &["sk"], r"SK[0-9A-Fa-f]{32}").anywhere(),
        Rule::inner("telegram-bot-api-token", "Telegram bot token", &[":a"], r"[0-9]{5,16}:A[a-z0-9_-]{34}", (5, 16)),
        Rule::inner(
            "discord-bot-token",
            "Discord bot token",
            &[".g", ".x", ".y", ".z"],
            r"[MNO][\w-]{23,25}\.[GXYZ][\w-]{5}\.[\w-]{27,38}",
            (24, 26),
        )
        .covers(&["discord-api-token"]),
        Rule::loud("shopify-access-token", "Shopify token", &["shpat_"], r"shpat_[A-Fa-f0-9]{32}"),
        Rule::loud("shopify-custom-access-token", "Shopify custom app token", &["shpca_"], r"shpca_[A-Fa-f0-9]{32}"),
        Rule::loud(
            "shopify-private-app-access-token",
            "Shopify private app token",
            &["shppa_"],
            r"shppa_[A-Fa-f0-9]{32}",
        ),
        Rule::loud("shopify-shared-secret", "Shopify shared secret", &["shpss_"], r"shpss_[A-Fa-f0-9]{32}"),
        Rule::loud("shippo-api-token", "Shippo token", &["shippo_"], r"shippo_(?:live|test)_[A-Fa-f0-9]{40}"),
        Rule::loud("easypost-api-token", "EasyPost key", &["ezak"], r"(?i:EZAK[a-z0-9]{54})"),
        Rule::loud("easypost-test-api-token", "EasyPost test key", &["eztk"], r"(?i:EZTK[a-z0-9]{54})"),
        Rule::loud("duffel-api-token", "Duffel token", &["duffel_"], r"duffel_(?:test|live)_(?i:[a-z0-9_=-]{43})"),
        Rule::loud(
            "flutterwave-public-key",
            "Flutterwave public key",
            &["flwpubk_test-"],
            r"FLWPUBK_TEST-(?i:[a-h0-9]{32})-X",
        ),
        Rule::loud(
            "flutterwave-secret-key",
            "Flutterwave secret key",
            &["flwseck_test-"],
            r"FLWSECK_TEST-(?i:[a-h0-9]{32})-X",
        ),
        Rule::loud(
            "flutterwave-encryption-key",
            "Flutterwave encryption key",
            &["flwseck_test-"],
            r"FLWSECK_TEST-(?i:[a-h0-9]{12})",
        ),
        Rule::loud("frameio-api-token", "Frame.io token", &["fio-u-"], r"fio-u-(?i:[a-z0-9_=-]{64})"),
        Rule::loud(
            "defined-networking-api-token",
            "Defined Networking token",
            &["dnkey-"],
            r"dnkey-(?i:[a-z0-9=_-]{26}-[a-z0-9=_-]{52})",
        ),
        Rule::loud(
            "intra42-client-secret",
            "42 Intra client secret",
            &["s-s4t2ud-", "s-s4t2af-"],
            r"s-s4t2(?:ud|af)-[a-f0-9]{64}",
        ),
        Rule::loud("linear-api-key", "Linear key", &["lin_api_"], r"lin_api_(?i:[a-z0-9]{40})"),
        Rule::loud("notion-api-token", "Notion token", &["ntn_"], r"ntn_[0-9]{11}[A-Za-z0-9]{35}"),
        Rule::loud("new-relic-browser-api-token", "New Relic browser key", &["nrjs-"], r"(?i:NRJS-[a-f0-9]{19})"),
        Rule::loud("new-relic-insert-key", "New Relic insert key", &["nrii-"], r"(?i:NRII-[a-z0-9-]{32})"),
        Rule::loud("new-relic-user-api-key", "New Relic user key", &["nrak-"], r"(?i:NRAK-[a-z0-9]{27})"),
        Rule::loud("postman-api-token", "Postman key", &["pmak-"], r"PMAK-(?i:[a-f0-9]{24}-[a-f0-9]{34})"),
        Rule::loud("readme-api-token", "ReadMe key", &["rdme_"], r"rdme_[a-z0-9]{70}"),
        Rule::loud(
            "settlemint-application-access-token",
            "SettleMint application token",
            &["sm_aat_"],
            r"sm_aat_[A-Za-z0-9]{16}",
        ),
        Rule::loud(
            "settlemint-personal-access-token",
            "SettleMint personal token",
            &["sm_pat_"],
            r"sm_pat_[A-Za-z0-9]{16}",
        ),
        Rule::loud(
            "settlemint-service-access-token",
            "SettleMint service token",
            &["sm_sat_"],
            r"sm_sat_[A-Za-z0-9]{16}",
        ),
        Rule::loud("adobe-client-secret", "Adobe client secret", &["p8e-"], r"p8e-(?i:[a-z0-9]{32})"),
        Rule::token(
            "airtable-personnal-access-token",
            "Airtable personal token",
            &["pat"],
            r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}",
        ),
        Rule::token(
            "authress-service-client-access-key",
            "Authress access key",
            &["sc_", "ext_", "scauth_", "authress_"],
            r"(?i:(?:sc|ext|scauth|authress)_[a-z0-9]{5,30}\.[a-z0-9]{4,6}\.acc[_-][a-z0-9-]{10,32}\.[a-z0-9+/_=-]{30,120})",
        ),
        Rule::token(
            "dropbox-short-lived-api-token",
            "Dropbox short-lived token",
            &["sl."],
            r"(?i:sl\.[a-z0-9_=-]{135})",
        ),
        Rule::inner(
            "dropbox-long-lived-api-token",
            "Dropbox token",
            &["aaaaaaaaaa"],
            r"[a-z0-9]{11}AAAAAAAAAA[a-z0-9_=-]{43}",
            (11, 11),
        ),
        Rule::token("gocardless-api-token", "GoCardless token", &["live_"], r"live_(?i:[a-z0-9_=-]{40})").any_case(),
        Rule::token(
            "twitter-bearer-token",
            "Twitter bearer token",
            &["aaaaaaaaaaaaaaaaaaaaaa"],
            r"A{22}[A-Za-z0-9%]{80,100}",
        )
        .any_case(),
        Rule::loud("mapbox-api-token", "Mapbox token", &["pk."], r"(?i:pk\.[a-z0-9]{60}\.[a-z0-9]{22})").apart(),
        Rule::loud("mapbox-secret-token", "Mapbox secret token", &["sk.eyj"], r"sk\.eyJ[\w-]{60,200}\.[\w-]{22}"),
        Rule::token(
            "plaid-api-token",
            "Plaid access token",
            &["access-sandbox-", "access-development-", "access-production-"],
            r"access-(?:sandbox|development|production)-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
        )
        .any_case(),
        Rule::loud("typeform-api-token", "Typeform token", &["tfp_"], r"tfp_(?i:[a-z0-9_.=-]{59})").apart(),
        Rule::token("lob-api-key", "Lob key", &["live_", "test_"], r"(?:live|test)_[a-f0-9]{35}").any_case(),
        Rule::token(
            "lob-pub-api-key",
            "Lob publishable key",
            &["live_pub_", "test_pub_"],
            r"(?:live|test)_pub_[a-f0-9]{31}",
        )
        .any_case(),
        Rule::token("yandex-api-key", "Yandex API key", &["aqvn"], r"AQVN[\w-]{35,38}").any_case(),
        Rule::token("yandex-access-token", "Yandex IAM token", &["t1."], r"t1\.[\w-]+={0,2}\.[\w-]{86}={0,2}")
            .any_case(),
    ]
}
