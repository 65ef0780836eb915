import Files
import Foundation
import Testing

private let python = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .map { "\($0)/python3" }.first { FileManager.default.isExecutableFile(atPath: $0) }

/// `scripts/engine` with wheels that a stand-in for pip brings.
@Suite(.enabled(if: python != nil)) struct EngineScriptTests {
    private let folder: ScratchFolder
    private let files = LocalFileSystem()

    init() throws {
        folder = try ScratchFolder()
        try files.createDirectory(folder("scripts"))
        let here = files.parent(of: files.parent(of: files.parent(of: #filePath)))
        try files.write(try readFile("\(here)/scripts/engine"), to: folder("scripts/engine"))
        // Writes a wheel whose RECORD is right; `name=text` adds an entry, `name@text` a link.
        let wheel = """
            import base64, hashlib, sys, zipfile
            target, wrong = sys.argv[1], sys.argv[2] == "wrong"
            rows = []
            with zipfile.ZipFile(target, "w") as out:
                for word in sys.argv[3:]:
                    name, mark, text = word.partition("@" if "@" in word else "=")
                    info = zipfile.ZipInfo(name)
                    info.external_attr = (0o120777 if mark == "@" else 0o100644) << 16
                    out.writestr(info, text)
                    digest = hashlib.sha256((text + "x" * wrong).encode()).digest()
                    sum = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
                    rows.append(f"{name},sha256={sum},{len(text)}")
                out.writestr("torch-2.13.0.dist-info/RECORD", "\\n".join(rows) + "\\n")
            """
        try files.write(Array(wheel.utf8), to: folder("wheel.py"))
        let stand = """
            #!/bin/sh
            [ "$1" = -m ] || exec \(python ?? "python3") "$@"
            [ "$3" = --version ] && exit 0
            [ -e "\(folder("offline"))" ] && { echo "no network" >&2; exit 1; }
            case "$*" in
              *nvidia*) [ -e "\(folder("no-nvidia"))" ] && { echo "no network" >&2; exit 1; } ;;
            esac
            while [ "$1" != -d ]; do shift; done
            cp "\(folder(""))"torch-*.whl "$2"
            """
        try files.write(Array(stand.utf8), to: folder("python"))
        #expect(chmod(folder("python"), 0o755) == 0 && chmod(folder("scripts/engine"), 0o755) == 0)
    }

    private func make(_ entries: [String], wrong: Bool = false) throws {
        let name = "torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl"
        _ = try run(
            python ?? "",
            [folder("wheel.py"), folder(name), wrong ? "wrong" : "right"] + entries)
    }

    private func run(
        _ program: String, _ arguments: [String], _ variables: [String: String] = [:]
    ) throws -> (status: Int32, lines: [String]) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin", "PYTHON": folder("python")]
            .merging(variables) { $1 }
        try files.write([], to: folder("said"))
        process.standardError = FileHandle(forWritingAtPath: folder("said"))
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let said = String(decoding: try readFile(folder("said")), as: UTF8.self)
        return (process.terminationStatus, said.split(separator: "\n").map(String.init))
    }

    private func engine(unchecked: Bool = true) throws -> (status: Int32, lines: [String]) {
        try run(
            folder("scripts/engine"), [], unchecked ? ["LIMBECK_ENGINE_UNCHECKED": "1"] : [:])
    }

    private let sound = ["torch/lib/libtorch_cpu.so=code", "torch/include/ATen/ATen.h=header"]

    @Test func librariesAndTheirHashesAreKept() throws {
        try make(sound + ["torch/lib/libtorch_python.so=unwanted", "torch/nn.py=unwanted"])
        #expect(try engine().status == 0)
        #expect(try readFile(folder(".torch/lib/libtorch_cpu.so")) == Array("code".utf8))
        let kept = try FileManager.default.subpathsOfDirectory(atPath: folder(".torch")).sorted()
        #expect(
            kept == [
                "SHA256SUMS", "complete", "include", "include/ATen", "include/ATen/ATen.h", "lib",
                "lib/libtorch_cpu.so", "libtorch.pc",
            ])
        // sha256 of "code".
        #expect(
            String(decoding: try readFile(folder(".torch/SHA256SUMS")), as: UTF8.self)
                == "5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b  lib/libtorch_cpu.so\n"
        )
        #expect(try engine(unchecked: false).lines == [], "nothing is fetched twice")
    }

    @Test func anUnknownWheelIsRefused() throws {
        try make(sound)
        let said = try engine(unchecked: false)
        #expect(said.status == 1)
        let line = try #require(said.lines.last)
        #expect(
            line.hasPrefix(
                "engine: torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl is no wheel that "
                    + "scripts/engine knows: found sha256 "))
        #expect(line.hasSuffix("or set LIBTORCH=/path/to/libtorch)"))
        #expect(!FileManager.default.fileExists(atPath: folder(".torch/lib")))
    }

    /// A known wheel under another's name could be meant for another system.
    @Test func aWheelIsKnownByItsNameToo() throws {
        try make(sound)
        let name = try #require(folder.names.first { $0.hasSuffix(".whl") })
        let line = try #require(try engine(unchecked: false).lines.last)
        let sum = String(try #require(line.split(separator: "sha256 ").last).prefix(64))
        let script = String(decoding: try readFile(folder("scripts/engine")), as: UTF8.self)
        func known(_ name: String) throws -> Int32 {
            let list = script.replacing("wheels=\"\n", with: "wheels=\"\n\(sum)  \(name)\n")
            try files.write(Array(list.utf8), to: folder("scripts/engine"))
            return try engine(unchecked: false).status
        }
        #expect(try known("x" + name) == 1)
        #expect(try known(name + "x") == 1)
        #expect(try known("torch-2.13.0-other.whl") == 1)
        #expect(try known(name) == 0)
    }

    /// Nothing half done stays, neither of a failure nor where an older engine is kept.
    @Test(arguments: [false, true]) func nothingIsLeftBehind(hasOlder: Bool) throws {
        if hasOlder {
            try files.createDirectory(folder(".torch/lib"))
            try files.write(Array("2.13.0\n".utf8), to: folder(".torch/complete"))
        }
        try files.write([], to: folder("no-nvidia"))
        try make(["torch/lib/libtorch_cpu.so=asks for libcudart.so.13", sound[1]])
        #expect(try engine().status == (hasOlder ? 0 : 1))
        #expect(!FileManager.default.fileExists(atPath: folder(".torch/fresh")))
        #expect(!FileManager.default.fileExists(atPath: folder(".torch/lib/libtorch_cpu.so")))
    }

    @Test(arguments: [
        ("torch/lib/../../../out.so=x", "leads out of the wheel"),
        ("/torch/lib/out.so=x", "leads out of the wheel"),
        ("torch/lib\\..\\out.so=x", "leads out of the wheel"),
        ("../torch/lib/out.so=x", "leads out of the wheel"),
        ("torch/lib/link.so@/etc/passwd", "is a link"),
    ])
    func hostileEntriesAreRefused(_ entry: String, _ reason: String) throws {
        try make(sound + [entry])
        let said = try engine()
        #expect(said.status == 1)
        #expect(said.lines.last?.hasSuffix("\(reason): refused") == true, "\(said.lines)")
        #expect(!FileManager.default.fileExists(atPath: folder(".torch/lib")))
        #expect(!folder.names.contains("out.so"))
    }

    @Test func whatDoesNotMatchItsRecordIsRefused() throws {
        try make(sound, wrong: true)
        let said = try engine()
        #expect(said.status == 1)
        #expect(
            said.lines.last
                == "engine: 'torch/lib/libtorch_cpu.so' does not match the wheel's RECORD: damaged download"
        )
    }

    /// An engine of before the hashes were kept: fetched anew, or kept where that cannot be.
    @Test func anOlderEngineStillWorks() throws {
        try files.createDirectory(folder(".torch/lib"))
        try files.write(Array("old".utf8), to: folder(".torch/lib/libtorch_cpu.so"))
        try files.write(Array("2.13.0\n".utf8), to: folder(".torch/complete"))
        try files.write([], to: folder("offline"))
        let kept = try engine()
        #expect(kept.status == 0)
        #expect(
            kept.lines.last
                == "engine: cannot download torch==2.13.0: keeping the engine that is here, whose hashes "
                + "are not known")
        #expect(try readFile(folder(".torch/lib/libtorch_cpu.so")) == Array("old".utf8))
        try files.remove(folder("offline"))
        try make(sound)
        #expect(try engine().status == 0)
        #expect(try readFile(folder(".torch/lib/libtorch_cpu.so")) == Array("code".utf8))
    }
}
