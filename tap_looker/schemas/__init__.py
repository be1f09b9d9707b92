"""JSON Schema files, one per stream, written by ``scripts/generate_schemas.py``.

What they leave out on purpose, though the API documents it, is told here.
"""

from __future__ import annotations

#: Properties that answers carry and that are never emitted, at any level of any stream. The tap
#: drops them without a word; a property that is neither here nor in a schema is news.
LEFT_OUT = frozenset(
    {
        "can",  # what the caller may do with the object: about the API key, not about the object
        "account_setup_url",  # whoever has the link sets the user's first password
        "password_reset_url",  # whoever has the link sets the user's password
    }
)

#: All that is dropped without a word, by name or by path.
SILENT = LEFT_OUT | {
    "params.value",  # of an integration: tokens and passwords among them
    # Undocumented, and of use to Looker's own pages only.
    "can_turtle",
    "frequent",
    "is_turtle",
    "turtle_dimension",
    "turtle_looks",
}

#: Properties that a model lists for requests only, marked "(Write-Only)" in its documentation:
#: Looker takes them and does not send them back, and most are secrets. No schema has them. They
#: are not in `LEFT_OUT`: if one ever came, it would be dropped and named like any unknown one.
WRITE_ONLY = {
    "AlertConditionState": ("previous_time_series_id", "latest_time_series_id"),
    "BackupConfiguration": ("custom_s3_key", "custom_s3_secret"),
    "BoardItem": ("custom_image_data_base64",),
    "DBConnection": ("password", "certificate", "file_type"),
    "DBConnectionOverride": (
        "password",
        "pdt_password",
        "certificate",
        "pdt_certificate",
        "file_type",
        "pdt_file_type",
    ),
    "DBConnectionServiceAccountRule": ("certificate",),
    "DashboardLookml": ("folder_id",),
    "ExternalOauthApplication": ("client_secret",),
    "HomepageItem": ("custom_image_data_base64",),
    "IntegrationHub": ("authorization_token",),
    "IntegrationParam": ("value",),
    "LDAPConfig": (
        "auth_password",
        "default_new_user_group_ids",
        "default_new_user_role_ids",
        "test_ldap_password",
        "test_ldap_user",
    ),
    "OIDCConfig": ("default_new_user_group_ids", "default_new_user_role_ids", "secret"),
    "PrivatelabelConfiguration": ("logo_file", "favicon_file"),
    "Project": ("git_password", "deploy_secret", "unset_deploy_secret"),
    "ProjectCISuite": ("webhook_secret",),
    "RepositoryCredential": ("git_password",),
    "Role": ("permission_set_id", "model_set_id"),
    "RoleSearch": ("permission_set_id", "model_set_id"),
    "SamlConfig": ("default_new_user_role_ids", "default_new_user_group_ids"),
    "ScheduledPlanDestination": ("secret_parameters",),
    "Setting": ("override_warnings",),
    "WhitelabelConfiguration": ("logo_file", "favicon_file"),
    "WorkforceConfig": ("default_new_user_role_ids", "default_new_user_group_ids"),
}
