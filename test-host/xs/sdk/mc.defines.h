/* What the SDK makes of the "defines" in an application's manifest: none here. */
