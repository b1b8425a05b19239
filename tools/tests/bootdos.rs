//! The boot DOS in QEMU: DEVICE= in every variant, EXEC, memory, files, XMS, A20 and the DMA services.

use std::path::Path;
use tools::rig::image::{self, Dos, TailEnd, Xms};
use tools::rig::qemu::Qemu;
use tools::rig::{Job, Report};

/// Assembles a fixture.
fn fixture(name: &str, defines: &[&str]) -> Vec<u8> {
    image::assemble(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name), defines).unwrap()
}

fn job(config: &[&str], exec: &[&str]) -> Job {
    let own = |name: &str| fixture(&format!("bootdos/fixtures/{name}.asm"), &[]);
    let mut files = vec![
        ("SHOW.SYS".into(), own("device")),
        ("FIX.SYS".into(), fixture("tests/fixtures/device.asm", &[])),
        ("FIXMZ.EXE".into(), fixture("tests/fixtures/device.asm", &["MZ"])),
        ("PROBE.COM".into(), fixture("tests/fixtures/probe.asm", &[])),
        ("EXTENDED.COM".into(), own("xms")),
        ("DMA.COM".into(), own("dma")),
        ("CALLS.EXE".into(), own("calls")),
        ("NUMBERS.DAT".into(), (0..5000_u16).flat_map(u16::to_le_bytes).collect()),
    ];
    // With so many files the table of files has several sectors.
    files.extend((0..30).map(|number| (format!("FILL{number}"), vec![number; 513])));
    files.push(("STAY.COM".into(), own("stay")));
    let lines = |lines: &[&str]| lines.iter().map(ToString::to_string).collect();
    Job { files, config: lines(config), exec: lines(exec), ..Job::default() }
}

fn run(dos: Dos, config: &[&str], exec: &[&str]) -> Report {
    let report = Qemu { dos, ..Qemu::default() }.run(&job(config, exec)).unwrap_or_else(|error| panic!("{error}"));
    println!("{}", report.output);
    report
}

/// The output of each run of a line.
fn each<'a>(report: &'a Report, line: &str) -> Vec<&'a str> {
    let head = format!("> {line}\n");
    report.output.split(&head).skip(1).map(|rest| rest.split("\n> ").next().unwrap_or(rest).trim_end()).collect()
}

/// Paragraphs that `mem` shows as free.
fn free(map: &str) -> u32 {
    map.split("[free ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_program_prints_and_its_exit_code_is_told() {
    let report = run(Dos::default(), &[], &["PROBE a  B", "NOSUCH", "stay", "probe.com/x"]);
    assert!(report.of("PROBE a  B").unwrap().starts_with("tail [ a  B] PE 0000"));
    assert!(report.of("probe.com/x").unwrap().starts_with("tail [/x]"));
    let codes: Vec<&str> = report.output.lines().filter(|line| line.starts_with("[exit")).collect();
    assert_eq!(codes, ["[exit 7]", "[exit 255]", "[exit 5]", "[exit 7]"]);
}

#[test]
fn files_memory_and_children_are_as_dos_has_them() {
    let report = run(Dos::default(), &[], &["mem", "CALLS", "mem", "ints"]);
    // How much the child leaves free depends on the size of this DOS.
    let (told, end) = report.of("CALLS").unwrap().split_once(" free 8").unwrap();
    assert_eq!(
        told,
        "relocation off by 0000 stack off by 0000 PSP off by 0000 top off by 0000\n\
         argv 0001 C:\\CALLS.EXE\n\
         open 0002! size-700 2454 read 02BC last 1387 read 0000 at 510 00FF 0100 close 0006!\n\
         first fit off by 0000 grow 0008! largest 0010! all 0008 free 0009! first 004D link 0000\n\
         child tail [ xy] PE 0000 high 0000"
    );
    assert!(end.ends_with("\ncode 0007 gone 0002!"));
    let maps = each(&report, "mem");
    assert_eq!(maps[0], maps[1]);
    assert_eq!(report.of("ints").unwrap().lines().count(), 1, "vectors changed");
}

#[test]
fn with_a_skip_drivers_move_and_the_code_of_programs_begins_at_a_page() {
    let line = "DEVICE=FIX.SYS";
    let places: Vec<u32> = [1, 0x123].into_iter().map(|skip| {
        let report = run(Dos { skip, ..Dos::default() }, &[line], &["mem", "CALLS", "mem", "stay", "mem"]);
        let maps = each(&report, "mem");
        assert_eq!(maps[0], maps[1], "memory is lost");
        // `stay` stays resident: its block is its own PSP's. The code is behind the 10h paragraphs of the PSP.
        let own = |line: &&str| line.split(' ').nth(1) == line.split(' ').nth(3);
        let psp = maps[2].lines().filter(own).last().unwrap().split(' ').nth(1).unwrap().to_string();
        assert!(psp.ends_with("F0"), "{}", maps[2]);
        u32::from_str_radix(report.of(line).unwrap().split("bytes at ").nth(1).unwrap().get(..4).unwrap(), 16).unwrap()
    }).collect();
    assert_eq!(places[1] - places[0], 0x122);
}

#[test]
fn the_request_has_the_length_and_the_tail_the_end_that_were_asked_for() {
    let tail = |text: &str, end: &[u8]| {
        let bytes = text.bytes().chain(end.iter().copied()).chain([0]);
        bytes.map(|byte| format!(" {byte:04X}")).collect::<String>()
    };
    let line = "DEVICE=Show.sys aB";
    for (upper_tail, text) in [(false, "Show.sys aB"), (true, "SHOW.SYS AB")] {
        for (tail_end, end) in [(TailEnd::Cr, &b"\r"[..]), (TailEnd::CrLf, b"\r\n"), (TailEnd::BlankCrLf, b" \r\n")] {
            for (request_len, length) in [(0x16, "0016"), (0x17, "0017 drive 0002"), (0x18, "0018 drive 0002"), (0x1E, "001E drive 0002")] {
                let dos = Dos { upper_tail, tail_end, request_len, ..Dos::default() };
                let report = run(dos, &[line], &[]);
                let first = report.of(line).unwrap().lines().next().unwrap();
                assert_eq!(first, format!("length {length} tail{}", tail(text, end)));
            }
        }
    }
}

#[test]
fn device_loads_raw_and_mz_links_it_and_asks_it_later() {
    let lines = ["DEVICE=FIX.SYS /foo Bar", "DEVICE=C:\\FIXMZ.EXE", "DEVICE=SHOW.SYS"];
    let report = run(Dos::default(), &lines, &["mem"]);
    assert!(report.of(lines[0]).unwrap().contains("tail [FIX.SYS /foo Bar]\n[device resident 298 bytes at "));
    let mz = report.of(lines[1]).unwrap();
    let word = |name: &str| mz.split(name).nth(1).unwrap().split([' ', ']']).next().unwrap().to_string();
    assert_eq!(word("fixed "), word("segment "));
    assert_eq!(word("bytes at "), word("segment "));
    let show = report.of(lines[2]).unwrap();
    assert!(show.contains("[device SHOW$    attribute 8000]\n"));
    assert!(show.ends_with("[answers 0D:0100 03:0100 04:0100 06:0100 08:0100 0A:0100 0C:0100 0E:0100 13:0100 80:8103]"));
    assert_eq!(report.of("mem").unwrap().matches("owner 0008").count(), 3);
}

#[test]
fn what_is_refused_gives_its_memory_back() {
    let refused = ["R", "H", "B"].map(|letter| format!("DEVICE=SHOW.SYS /{letter}"));
    let mut lines = vec!["mem"];
    for line in &refused {
        lines.extend([line, "mem"]);
    }
    lines.extend(["DEVICE=NONE.SYS", "mem"]);
    let report = run(Dos::default(), &lines, &[]);
    let maps = each(&report, "mem");
    assert!(maps.len() == 5 && maps.iter().all(|map| *map == maps[0]));
    assert!(report.of(&refused[0]).unwrap().ends_with("[device refused, status 8003]"));
    assert!(report.of(&refused[1]).unwrap().ends_with("[device refused, status 0100]"));
    assert!(report.of(&refused[2]).unwrap().contains("is outside its memory]\n[device refused"));
    assert_eq!(report.of("DEVICE=NONE.SYS"), Some("[device file not found]"));
}

#[test]
fn an_error_that_says_done_too_stays_and_writing_past_the_request_is_told() {
    let report = run(Dos { request_len: 0x16, ..Dos::default() }, &["DEVICE=SHOW.SYS /D", "DEVICE=SHOW.SYS /W"], &[]);
    assert!(report.of("DEVICE=SHOW.SYS /D").unwrap().contains("[device resident "));
    assert!(report.of("DEVICE=SHOW.SYS /W").unwrap().contains("[device wrote past its request, at 22]\n"));
}

#[test]
fn an_upper_block_exactly_as_large_as_the_image_takes_it_and_a_smaller_one_does_not() {
    let paras = image::load_paras(&fixture("tests/fixtures/device.asm", &["MZ"]));
    let line = "DEVICEHIGH=FIXMZ.EXE";
    let high = run(Dos { umb_paras: Some(paras), ..Dos::default() }, &["mem", line], &["mem"]);
    assert!(high.of(line).unwrap().contains("segment D001 fixed D001 end "));
    assert!(high.of(line).unwrap().contains("[device resident 310 bytes at D001]"));
    assert_eq!(free(each(&high, "mem")[1]), free(each(&high, "mem")[0]) - u32::from(paras));
    for umb_paras in [Some(paras - 1), None] {
        let low = run(Dos { umb_paras, ..Dos::default() }, &[line], &["mem"]);
        assert!(low.of(line).unwrap().contains("end 9FBF"));
    }
}

#[test]
fn writing_past_the_upper_block_is_told() {
    let dos = Dos { umb_paras: Some(0x100), ..Dos::default() };
    let report = run(dos, &["DEVICEHIGH=SHOW.SYS", "mem", "DEVICEHIGH=SHOW.SYS /U"], &["mem"]);
    assert!(!each(&report, "mem")[0].contains("past"));
    assert!(each(&report, "mem")[1].contains("[written past the upper block at D113]"));
}

#[test]
fn lh_loads_a_program_high_or_low_where_it_fits_and_frees_it() {
    for (umb_paras, segment) in [(0x800, "high 0001"), (0x10, "high 0000")] {
        let report = run(Dos { umb_paras: Some(umb_paras), ..Dos::default() }, &[], &["mem", "LH PROBE x", "mem", "LH STAY", "mem"]);
        assert!(report.of("LH PROBE x").unwrap().contains(segment));
        let maps = each(&report, "mem");
        assert_eq!(maps[0], maps[1]);
        assert!(free(maps[2]) < free(maps[1]) - 0x30);
    }
}

#[test]
fn xms_allocates_locks_moves_and_refuses() {
    let report = run(Dos::default(), &[], &["EXTENDED", "mem", "XMS OFF", "EXTENDED", "XMS ON"]);
    assert_eq!(
        report.of("EXTENDED").unwrap(),
        "version 0300 HMA 0000!0090\n\
         a20 0000!0000 on 0001 on 0001 off 0001 is 0001 off 0001 is 0000!0000 on 0001 is 0001 off 0001 is 0000!0000\n\
         free 3B40 of 3B40 3B40\n\
         take 0001 take 0000!00A0 take 0001 free 3B10\n\
         lock 0001 at 0011:0000 give 0000!00AB about 0001 KB 0010 locks, handles 010E unlock 0001 unlock 0000!00AA \
         lock 0000!00A2\n\
         move 0001 0001 0001 0001 left 0000 odd 0000!00A7 long 0000!00A7 outside 0000!00A4 handle 0000!00A3\n\
         grow 0000!00A0 shrink 0001 give 0001 grow 0001 give 0001 give 0000!00A2 free 3B40 unknown 0000!0080"
    );
    assert!(report.of("mem").unwrap().contains("xms handles 0 locks 0 KB 0"));
    assert_eq!(each(&report, "EXTENDED")[1], "no XMS\n[exit 1]");
}

#[test]
fn xms_fails_on_demand_and_has_its_variants() {
    // The 4th and 5th call from 08h on are the third `take` and the query behind it.
    let report = run(Dos::default(), &[], &["xms fail 2 4", "EXTENDED", "mem"]);
    assert!(report.of("EXTENDED").unwrap().contains("take 0001 take 0000!00A0 take 0000!00A0 free 0000!00A0\n"));
    let old = run(Dos { xms: Xms::V2, ..Dos::default() }, &[], &["EXTENDED"]);
    assert!(old.of("EXTENDED").unwrap().starts_with("version 0200 "));
    assert!(old.of("EXTENDED").unwrap().contains("free 3B40 of 3B40 0000!0080\n"));
    assert_eq!(run(Dos { xms: Xms::None, ..Dos::default() }, &[], &["EXTENDED"]).of("EXTENDED"), Some("no XMS"));
}

#[test]
fn output_is_redirected_and_a_file_is_closed_when_no_program_has_it() {
    let mut lines = vec!["PROBE a >OUT", "TYPE OUT"];
    // A program that ends closes its handles.
    lines.extend(["PROBE a >OUT"; 10]);
    // A program that stays resident keeps them open: eight use up the table's eight entries.
    lines.extend(["STAY >OUT"; 8]);
    lines.extend(["PROBE b >OUT", "PROBE c"]);
    let report = run(Dos::default(), &[], &lines);
    assert!(report.of("TYPE OUT").unwrap().starts_with("tail [ a ] PE 0000"), "{}", report.output);
    assert_eq!(report.of("PROBE a >OUT"), Some(""));
    assert_eq!(report.of("PROBE b >OUT"), Some("Cannot run: error 4"));
    assert!(report.of("PROBE c").unwrap().starts_with("tail [ c] PE"));
    let codes: Vec<&str> = report.output.lines().filter(|line| line.starts_with("[exit")).collect();
    assert_eq!((codes[11], codes[12], codes[19], codes[20], codes[21]), ("[exit 7]", "[exit 5]", "[exit 5]", "[exit 255]", "[exit 7]"));
}

#[test]
fn reads_are_counted_and_the_one_that_is_asked_for_fails() {
    let report = run(Dos::default(), &[], &["READ FAIL 0", "CALLS", "READS", "READ FAIL 2", "CALLS", "READS"]);
    assert_eq!(each(&report, "READS"), ["[reads 3]\n[exit 0]"; 2]);
    let told: Vec<&str> = each(&report, "CALLS").iter().map(|text| text.split(" read ").nth(2).unwrap().split(' ').next().unwrap()).collect();
    assert_eq!(told, ["0000", "0017"]);
}

#[test]
fn a20_follows_the_command() {
    let report = run(Dos::default(), &[], &["a20 on", "a20", "a20 off", "a20"]);
    assert_eq!(each(&report, "a20"), ["[a20 1]\n[exit 0]", "[a20 0]\n[exit 0]"]);
}

#[test]
fn dma_services_answer_and_count() {
    let report = run(Dos { vds: true, ..Dos::default() }, &[], &["DMA", "vds", "vds off", "DMA"]);
    assert_eq!(
        report.of("DMA").unwrap(),
        "flag 0020 version 0100 lock 8103 off by 0000 unlock 8104\n\
         gather 8109! gather 8105 pieces 0001 ungather 8106\n\
         buffer 8105! buffer 8107 buffer 8106! in 8109 out 810A 6261 release 8108 release 810A! unknown 810F!"
    );
    assert_eq!(report.of("vds"), Some("[vds locks 3 unlocks 3 sum 0000]"));
    assert!(each(&report, "DMA")[1].starts_with("flag 0000 version 8102 "));
}

#[test]
fn the_host_acts_between_two_lines() {
    let mut seen = Vec::new();
    let report = Qemu::default().run_with(&job(&[], &["a20", "pause", "a20"]), &mut |line, monitor| {
        seen.push(line.to_string());
        if line == "[pause]" {
            // Port 92h, bit 1.
            monitor.command("o /b 0x92 2")?;
            monitor.resume()?;
        }
        Ok(())
    });
    assert_eq!(each(&report.unwrap(), "a20"), ["[a20 0]\n[exit 0]", "[a20 1]\n[exit 0]"]);
    assert!(seen.contains(&"> pause".to_string()));
}

#[test]
fn a_job_that_hangs_is_an_error_that_shows_what_was_printed() {
    let mut job = job(&[], &["PROBE", "HANG"]);
    job.files.push(("HANG.COM".into(), b"\xEB\xFE".to_vec()));
    job.limit = std::time::Duration::from_secs(3);
    let error = Qemu::default().run(&job).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    let told = error.to_string();
    assert!(told.contains("[exit 7]\n> HANG\n"), "{told}");
    // Where it was: the registers, the interrupt controllers, and the program's one instruction at CS:EIP.
    assert!(told.contains("EIP=00000100") && told.contains("pic0:") && told.contains(": 0xeb 0xfe "), "{told}");
}

#[test]
fn with_icount_two_runs_print_the_same() {
    let qemu = Qemu { icount: true, ..Qemu::default() };
    let job = job(&["DEVICE=FIX.SYS"], &["EXTENDED", "CALLS", "ints", "mem"]);
    assert_eq!(qemu.run(&job).unwrap().output, qemu.run(&job).unwrap().output);
}
