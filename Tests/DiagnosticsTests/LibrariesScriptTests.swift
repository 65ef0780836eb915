import Files
import Foundation
import Testing

/// `scripts/libraries` on a machine of stand-ins: nothing but they is on its path.
struct LibrariesScriptTests {
    private let folder: ScratchFolder
    private let files = LocalFileSystem()
    private let script: String

    init() throws {
        folder = try ScratchFolder()
        let here = files.parent(of: files.parent(of: files.parent(of: #filePath)))
        script = "\(here)/scripts/libraries"
        try make("uname", "echo Linux")
        try make("id", "echo 0")
        // Knows the headers that stand in a file of their name.
        try make(
            "clang",
            "read line; line=${line#*<}; line=${line%>*}; [ -e \"\(folder("have"))-${line#*/}\" ]")
        // Says what it was asked for; installs after an update.
        try make(
            "apt-get",
            """
            echo "$@" >> "\(folder("asked"))"
            [ "$1" = update ] && : > "\(folder("updated"))"
            [ -e "\(folder("updated"))" ]
            """)
        try files.write([], to: folder("asked"))
    }

    private func make(_ name: String, _ body: String) throws {
        try files.write(Array("#!/bin/bash\n\(body)\n".utf8), to: folder(name))
        #expect(chmod(folder(name), 0o755) == 0)
    }

    private func have(_ headers: String...) throws {
        for header in headers { try files.write([], to: folder("have-\(header)")) }
    }

    private func run(_ environment: [String: String] = [:]) throws -> (
        status: Int32, said: String, asked: [String]
    ) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = [script]
        process.environment = environment.merging(["PATH": folder.path]) { $1 }
        let said = Pipe()
        process.standardError = said
        try process.run()
        let text = said.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let asked = String(decoding: try readFile(folder("asked")), as: UTF8.self)
        return (
            process.terminationStatus, String(decoding: text, as: UTF8.self),
            asked.split(separator: "\n").map(String.init)
        )
    }

    @Test func whatIsThereIsLeftAlone() throws {
        try have("zlib.h", "evp.h", "jpeglib.h", "png.h")
        let result = try run()
        #expect(result.status == 0 && result.said == "" && result.asked == [])
    }

    @Test func withoutImagesTheirLibrariesAreNotAskedFor() throws {
        try have("zlib.h", "evp.h")
        let result = try run(["LIMBECK_IMAGES": "none"])
        #expect(result.status == 0 && result.said == "" && result.asked == [])
    }

    @Test func whatIsMissingIsInstalled() throws {
        try have("zlib.h", "jpeglib.h", "png.h")
        let result = try run()
        let install = "install -y -qq --no-install-recommends libssl-dev"
        #expect(result.status == 0 && result.said == "libraries: installing libssl-dev\n")
        #expect(result.asked == [install, "update -qq", install])
    }

    @Test func othersThanRootAreToldWhatToRun() throws {
        try make("id", "echo 1000")
        let result = try run()
        #expect(result.status == 1 && result.asked == [])
        #expect(
            result.said
                == "libraries: the headers zlib.h openssl/evp.h jpeglib.h png.h are missing: run sudo "
                + "apt-get install zlib1g-dev libssl-dev libjpeg-dev libpng-dev\n")
    }

    @Test func withoutAptALineSaysWhatIsMissing() throws {
        try have("zlib.h", "jpeglib.h", "png.h")
        try files.remove(folder("apt-get"))
        let result = try run()
        #expect(result.status == 1)
        #expect(
            result.said
                == "libraries: the headers openssl/evp.h are missing: install the development packages "
                + "of zlib, OpenSSL 1.1 or later, libjpeg and libpng\n")
    }

    @Test func aFailureOfAptIsSaid() throws {
        try make("apt-get", "exit 100")
        let result = try run()
        #expect(result.status == 1)
        #expect(
            result.said.hasSuffix(
                "\nlibraries: apt-get could not install zlib1g-dev libssl-dev libjpeg-dev libpng-dev\n"
            ))
    }

    @Test func applesSystemsNeedTheLibrariesOfPictures() throws {
        try make("uname", "echo Darwin")
        let result = try run()
        #expect(result.status == 1)
        #expect(
            result.said
                == "libraries: libjpeg and libpng are missing: run brew install pkgconf jpeg-turbo libpng, or "
                + "build with LIMBECK_IMAGES=none\n")
        #expect(try run(["LIMBECK_IMAGES": "none"]).status == 0)
        try make("pkg-config", "exit 0")
        let found = try run()
        #expect(found.status == 0 && found.said == "")
    }
}
