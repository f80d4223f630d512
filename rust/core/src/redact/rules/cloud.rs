//! Tokens of clouds, of their tools, and of the makers of models. Each format is public: the vendor prints it in its manual.

use crate::redact::rule::Rule;

pub fn rules() -> Vec<Rule> {
    vec![
        Rule::token(
            "aws-access-token",
            "AWS access key id",
            &["akia", "asia", "abia", "acca", "a3t"],
            r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",
        )
        .dotted(),
        Rule::assigned(
            "aws-secret-key",
            "AWS secret access key",
            &["secret_access_key", "secretaccesskey", "aws_secret", "secret-access-key", "aws secret"],
            r"[A-Za-z0-9/+]{40}",
        ),
        Rule::loud(
            "aws-amazon-bedrock-api-key-long-lived",
            "Amazon Bedrock API key",
            &["absk"],
            r"ABSK[A-Za-z0-9+/]{109,269}={0,2}",
        ),
        Rule::loud(
            "aws-amazon-bedrock-api-key-short-lived",
            "Amazon Bedrock short-lived API key",
            &["bedrock-api-key-"],
            r"bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/=]*",
        ),
        Rule::token("alibaba-access-key-id", "Alibaba Cloud access key id", &["ltai"], r"(?i:LTAI[a-z0-9]{20})"),
        Rule::inner(
            "azure-ad-client-secret",
            "Microsoft Entra client secret",
            &["q~"],
            r"[a-z0-9_~.]{3}[0-9]Q~[a-z0-9_~.-]{31,34}",
            (4, 4),
        ),
        Rule::assigned(
            "azure-storage-key",
            "Azure storage or service bus key",
            &["accountkey", "sharedaccesskey"],
            r"[A-Za-z0-9+/]{43,86}={1,2}",
        ),
        Rule::token("gcp-api-key", "Google API key", &["aiza"], r"AIza[A-Za-z0-9_-]{35}"),
        Rule::token("gcp-oauth-client-secret", "Google OAuth client secret", &["gocspx-"], r"GOCSPX-[A-Za-z0-9_-]{28}"),
        Rule::token("gcp-oauth-access-token", "Google OAuth access token", &["ya29."], r"ya29\.[A-Za-z0-9_-]{50,}"),
        Rule::loud("digitalocean-access-token", "DigitalOcean OAuth token", &["doo_v1_"], r"doo_v1_[a-f0-9]{64}"),
        Rule::loud("digitalocean-pat", "DigitalOcean personal access token", &["dop_v1_"], r"dop_v1_[a-f0-9]{64}"),
        Rule::loud(
            "digitalocean-refresh-token",
            "DigitalOcean refresh token",
            &["dor_v1_"],
            r"(?i:dor_v1_[a-f0-9]{64})",
        ),
        Rule::loud(
            "cloudflare-origin-ca-key",
            "Cloudflare origin CA key",
            &["v1.0-"],
            r"v1\.0-[a-f0-9]{24}-[a-f0-9]{146}",
        ),
        Rule::token("databricks-api-token", "Databricks token", &["dapi"], r"dapi[a-f0-9]{32}(?:-[0-9])?"),
        Rule::token("clickhouse-cloud-api-secret-key", "ClickHouse Cloud key", &["4b1d"], r"4b1d[A-Za-z0-9]{38}"),
        Rule::loud("doppler-api-token", "Doppler token", &["dp.pt."], r"(?i:dp\.pt\.[a-z0-9]{43})"),
        Rule::loud("dynatrace-api-token", "Dynatrace token", &["dt0c01."], r"(?i:dt0c01\.[a-z0-9]{24}\.[a-z0-9]{64})"),
        Rule::loud(
            "flyio-access-token",
            "Fly.io token",
            &["fo1_", "fm1a_", "fm1r_", "fm2_"],
            r"(?:fo1_[\w-]{43}|fm1[ar]_[A-Za-z0-9+/]{100,}={0,3}|fm2_[A-Za-z0-9+/]{100,}={0,3})",
        ),
        Rule::token(
            "harness-api-key",
            "Harness token",
            &["pat.", "sat."],
            r"(?:pat|sat)\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}",
        )
        .any_case()
        .anywhere(),
        Rule::inner(
            "hashicorp-tf-api-token",
            "Terraform Cloud token",
            &[".atlasv1."],
            r"[a-z0-9]{14}\.atlasv1\.[a-z0-9_=-]{60,70}",
            (14, 14),
        )
        .anywhere(),
        Rule::token("heroku-api-key-v2", "Heroku key", &["hrku-"], r"HRKU-AA[0-9A-Za-z_-]{58}").any_case(),
        Rule::loud("infracost-api-token", "Infracost key", &["ico-"], r"ico-[A-Za-z0-9]{32}").apart(),
        Rule::token("openshift-user-token", "OpenShift token", &["sha256~"], r"sha256~[\w-]{43}"),
        Rule::loud("planetscale-api-token", "PlanetScale token", &["pscale_tkn_"], r"(?i:pscale_tkn_[\w=.-]{32,64})"),
        Rule::loud(
            "planetscale-oauth-token",
            "PlanetScale OAuth token",
            &["pscale_oauth_"],
            r"pscale_oauth_[\w=.-]{32,64}",
        ),
        Rule::loud("planetscale-password", "PlanetScale password", &["pscale_pw_"], r"(?i:pscale_pw_[\w=.-]{32,64})"),
        Rule::loud("pulumi-api-token", "Pulumi token", &["pul-"], r"pul-[a-f0-9]{40}").apart(),
        Rule::token("prefect-api-token", "Prefect token", &["pnu_"], r"pnu_[A-Za-z0-9]{36}").any_case(),
        Rule::loud("scalingo-api-token", "Scalingo token", &["tk-us-"], r"tk-us-[\w-]{48}"),
        Rule::loud("vault-batch-token", "Vault batch token", &["hvb."], r"hvb\.[\w-]{138,300}"),
        Rule::loud("vault-service-token", "Vault service token", &["hvs."], r"hvs\.[\w-]{90,120}"),
        Rule::token("vault-legacy-token", "Vault token of before 1.10", &["s."], r"s\.[A-Za-z0-9]{24}")
            .covers(&["vault-service-token"]),
        Rule::inner("maxmind-license-key", "MaxMind licence key", &["_mmk"], r"[a-z0-9]{6}_[a-z0-9]{29}_mmk", (36, 36)),
        Rule::loud("anthropic-api-key", "Anthropic API key", &["sk-ant-api03-"], r"sk-ant-api03-[\w-]{93}AA"),
        Rule::loud(
            "anthropic-admin-api-key",
            "Anthropic admin key",
            &["sk-ant-admin01-"],
            r"sk-ant-admin01-[\w-]{93}AA",
        ),
        Rule::loud(
            "anthropic-oauth-token",
            "Anthropic OAuth token",
            &["sk-ant-oat01-", "sk-ant-ort01-"],
            r"sk-ant-o[ar]t01-[\w-]{80,120}",
        ),
        Rule::token(
            "openai-api-key",
            "OpenAI API key",
            &["sk-"],
            r"sk-(?:(?:proj|svcacct|admin)-)?[\w-]{20,74}T3BlbkFJ[\w-]{20,74}",
        ),
        Rule::token(
            "openai-project-key",
            "OpenAI project key",
            &["sk-proj-", "sk-svcacct-", "sk-admin-"],
            r"sk-(?:proj|svcacct|admin)-[\w-]{60,200}",
        ),
        Rule::token(
            "model-api-key",
            "API key of a maker of models that begins with sk-",
            &["sk-"],
            r"sk-(?:or-v1-[a-f0-9]{64}|[a-f0-9]{32}|[A-Za-z0-9]{48})",
        ),
        Rule::token("huggingface-access-token", "Hugging Face token", &["hf_"], r"hf_[A-Za-z]{34}"),
        Rule::token(
            "huggingface-organization-api-token",
            "Hugging Face organization token",
            &["api_org_"],
            r"api_org_[A-Za-z]{34}",
        ),
        Rule::token("perplexity-api-key", "Perplexity key", &["pplx-"], r"pplx-[A-Za-z0-9]{48}").any_case().anywhere(),
        Rule::token("groq-api-key", "Groq key", &["gsk_"], r"gsk_[A-Za-z0-9]{52}"),
        Rule::token("xai-api-key", "xAI key", &["xai-"], r"xai-[A-Za-z0-9]{80}"),
        Rule::token("replicate-api-token", "Replicate token", &["r8_"], r"r8_[A-Za-z0-9]{37}"),
    ]
}
