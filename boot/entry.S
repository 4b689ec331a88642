/* Entered by the mask ROM. The stack is where eboot has it, above all that is loaded. */
	.section .entry.literal, "ax"
	.literal_position
	.section .entry, "ax"
	.global boot_entry
	.align 4
boot_entry:
	movi	a1, 0x3ffffff0
	call0	boot
	.size boot_entry, . - boot_entry

/*
	SPEC.md, section 10: that of a NodeMCU with a filesystem of 2 MiB, until the packer fills in another one. Not in C,
	where its values would be taken for constants. The builder fills in length and CRC of the second stage.
*/
	.section .config, "a"
	.global boot_config
	.align 4
boot_config:
	.ascii	"OTAB"
	.long	1
	.long	0x400000, 0x3fa000, 0x100000
	.long	0, 0
	.long	0x200000, 0x3fa000
	.long	0x102000, 0, 0
	.size boot_config, . - boot_config
