//! Tokens of hosts of code and packages, and of what runs beside them.

use crate::redact::rule::Rule;

pub fn rules() -> Vec<Rule> {
    vec![
        Rule::loud("github-pat", "GitHub personal access token", &["ghp_"], r"ghp_[0-9A-Za-z]{36}"),
        Rule::loud("github-oauth", "GitHub OAuth token", &["gho_"], r"gho_[0-9A-Za-z]{36}"),
        Rule::loud("github-app-token", "GitHub app token", &["ghu_", "ghs_"], r"gh[us]_[0-9A-Za-z]{36}"),
        Rule::loud("github-refresh-token", "GitHub refresh token", &["ghr_"], r"ghr_[0-9A-Za-z]{36}"),
        Rule::loud("github-fine-grained-pat", "GitHub fine-grained token", &["github_pat_"], r"github_pat_\w{82}"),
        Rule::loud(
            "gitlab-pat-routable",
            "GitLab personal access token",
            &["glpat-"],
            r"glpat-[\w-]{27,300}\.[0-9a-z]{2}[0-9a-z]{7}",
        ),
        Rule::loud("gitlab-pat", "GitLab personal access token", &["glpat-"], r"glpat-[\w-]{20}"),
        Rule::loud("gitlab-cicd-job-token", "GitLab job token", &["glcbt-"], r"glcbt-[0-9A-Za-z]{1,5}_[\w-]{20}"),
        Rule::loud("gitlab-deploy-token", "GitLab deploy token", &["gldt-"], r"gldt-[\w-]{20}"),
        Rule::loud("gitlab-feature-flag-client-token", "GitLab feature flag token", &["glffct-"], r"glffct-[\w-]{20}"),
        Rule::loud("gitlab-feed-token", "GitLab feed token", &["glft-"], r"glft-[\w-]{20}"),
        Rule::loud("gitlab-incoming-mail-token", "GitLab incoming mail token", &["glimt-"], r"glimt-[\w-]{25}"),
        Rule::loud("gitlab-kubernetes-agent-token", "GitLab agent token", &["glagent-"], r"glagent-[\w-]{50}"),
        Rule::loud("gitlab-oauth-app-secret", "GitLab OAuth secret", &["gloas-"], r"gloas-[\w-]{64}"),
        Rule::loud("gitlab-ptt", "GitLab trigger token", &["glptt-"], r"glptt-[0-9a-f]{40}"),
        Rule::loud("gitlab-rrt", "GitLab runner registration token", &["gr1348941"], r"GR1348941[\w-]{20}"),
        Rule::loud(
            "gitlab-runner-authentication-token-routable",
            "GitLab runner token",
            &["glrt-t"],
            r"glrt-t[0-9]_[\w-]{27,300}\.[0-9a-z]{2}[0-9a-z]{7}",
        ),
        Rule::loud("gitlab-runner-authentication-token", "GitLab runner token", &["glrt-"], r"glrt-[\w-]{20}"),
        Rule::loud("gitlab-scim-token", "GitLab SCIM token", &["glsoat-"], r"glsoat-[\w-]{20}"),
        Rule::loud(
            "gitlab-session-cookie",
            "GitLab session cookie",
            &["_gitlab_session="],
            r"_gitlab_session=([0-9a-z]{32})",
        ),
        Rule::loud("npm-access-token", "npm token", &["npm_"], r"(?i:npm_[a-z0-9]{36})"),
        Rule::loud("pypi-upload-token", "PyPI token", &["pypi-ageichlwas5vcmc"], r"pypi-AgEIcHlwaS5vcmc[\w-]{50,1000}"),
        Rule::loud(
            "pypi-test-token",
            "TestPyPI token",
            &["pypi-agendgvzdc5wexbp"],
            r"pypi-AgENdGVzdC5weXBpLm9yZw[\w-]{50,1000}",
        ),
        Rule::loud("rubygems-api-token", "RubyGems key", &["rubygems_"], r"rubygems_[a-f0-9]{48}"),
        Rule::loud("clojars-api-token", "Clojars token", &["clojars_"], r"(?i:CLOJARS_[a-z0-9]{60})"),
        Rule::loud("crates-io-token", "crates.io token", &["cio"], r"cio[A-Za-z0-9]{32}").apart(),
        Rule::loud("docker-hub-token", "Docker Hub token", &["dckr_pat_"], r"dckr_pat_[\w-]{27}"),
        Rule::token("artifactory-api-key", "Artifactory key", &["akcp"], r"AKCp[A-Za-z0-9]{69}"),
        Rule::token("artifactory-reference-token", "Artifactory reference token", &["cmvmd"], r"cmVmd[A-Za-z0-9]{59}"),
        Rule::loud("atlassian-api-token-v2", "Atlassian token", &["atatt3"], r"ATATT3[A-Za-z0-9_=-]{186}")
            .covers(&["atlassian-api-token"]),
        Rule::loud(
            "sourcegraph-access-token",
            "Sourcegraph token",
            &["sgp_"],
            r"sgp_(?:(?:[A-Fa-f0-9]{16}|local)_)?[A-Fa-f0-9]{40}",
        ),
        Rule::loud(
            "sentry-org-token",
            "Sentry organization token",
            &["sntrys_"],
            r"sntrys_eyJpYXQiO[A-Za-z0-9+/]{10,450}={0,2}_[A-Za-z0-9+/]{43}",
        ),
        Rule::loud("sentry-user-token", "Sentry user token", &["sntryu_"], r"sntryu_[a-f0-9]{64}"),
        Rule::token("grafana-api-key", "Grafana key", &["eyjrijoi"], r"(?i:eyJrIjoi[a-z0-9]{70,400}={0,3})"),
        Rule::loud("grafana-cloud-api-token", "Grafana Cloud token", &["glc_"], r"(?i:glc_[a-z0-9+/]{32,400}={0,3})"),
        Rule::loud(
            "grafana-service-account-token",
            "Grafana service account token",
            &["glsa_"],
            r"(?i:glsa_[a-z0-9]{32}_[a-f0-9]{8})",
        ),
        Rule::token("octopus-deploy-api-key", "Octopus Deploy key", &["api-"], r"API-[A-Z0-9]{26}"),
        Rule::token(
            "age-secret-key",
            "age identity",
            &["age-secret-key-1"],
            r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
        )
        .anywhere(),
        Rule::token(
            "1password-secret-key",
            "1Password secret key",
            &["a3-"],
            r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
        ),
        Rule::loud(
            "1password-service-account-token",
            "1Password service account token",
            &["ops_eyj"],
            r"ops_eyJ[A-Za-z0-9+/]{250,}={0,3}",
        ),
    ]
}
