/*
 * Runs an application of the virtual board in the XS engine, with the memory of the device and the native C
 * modules of the device under it.
 */
#include <getopt.h>

#include "engine.h"
#include "host.h"

static void mac_of(const char *text)
{
	unsigned int bytes[6];
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4], &bytes[5]) != 6)
		host_usage("%s is no MAC address", text);
	for (int i = 0; i < 6; i++)
		chip.mac[i] = (uint8_t)bytes[i];
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "flash", required_argument, NULL, 'f' },
		{ "rtc", required_argument, NULL, 'r' },
		{ "control", required_argument, NULL, 'c' },
		{ "application", required_argument, NULL, 'a' },
		{ "mac", required_argument, NULL, 'm' },
		{ "boot-mode", required_argument, NULL, 'b' },
		{ "reset-reason", required_argument, NULL, 'w' },
		{ "running", required_argument, NULL, 'i' },
		{ "meter-limit", required_argument, NULL, 'l' },
		{ "stack", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	const char *flash = NULL, *rtc = NULL, *control = NULL, *application = NULL;
	uint32_t meter_limit = 0;
	int stack = 0;
	int option;
	mac_of("18:fe:34:00:00:00");
	chip.boot_mode = 3;
	chip.reset_reason = "Power On";
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'f': flash = optarg; break;
		case 'r': rtc = optarg; break;
		case 'c': control = optarg; break;
		case 'a': application = optarg; break;
		case 'm': mac_of(optarg); break;
		case 'b': chip.boot_mode = atoi(optarg); break;
		case 'w': chip.reset_reason = optarg; break;
		case 'i': chip.running = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 'l': meter_limit = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 's': stack = atoi(optarg); break;
		default: return EXIT_USAGE;
		}
	}
	if (!flash || !rtc || !control || !application || optind < argc)
		host_usage("--flash, --rtc, --control and --application, each with a file");

	process_begin();
	events_begin();
	chip_open(flash, rtc, control);
	memory_begin();
	application_read(application);
	peaks_begin(machine_begin(stack), meter_limit);
	loop_run();
}
