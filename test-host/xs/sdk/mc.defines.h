/* What mcconfig makes of a manifest's `defines`. */
#define MODDEF_OTA8266_NAME "ota8266"
#define MODDEF_OTA8266_VERSION "1.0.0"
#define MODDEF_OTA8266_CONFIRMS (1)
