import ArgumentParser
import Diagnostics
import Files
import Foundation
import RunReports
import Training

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes the HTML report of a finished run or comparison anew.")

    @Argument(help: "The folder of a run or a comparison.")
    var folder: String

    @Option(help: "Where the page goes; FOLDER/report.html if not given.")
    var out: String?

    @Option(help: "Also write the comparison's plot of methods as a stand-alone SVG.")
    var svg: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let path = out ?? "\(folder)/report.html"
        try Outputs.check([("--out", path), ("--svg", svg)], inputs: [folder])
        if FileManager.default.fileExists(atPath: "\(folder)/run.json") {
            try RunReport.page(RunRecord(folder: folder)).write(to: path, using: LocalFileSystem())
        } else if FileManager.default.fileExists(atPath: "\(folder)/result.json") {
            let report = ComparisonReport(try ComparisonRecord(folder: folder))
            _ = try report.write(to: folder, page: path, using: LocalFileSystem())
            if let svg {
                let page = try report.page(folder: folder)
                try LocalFileSystem().replace(
                    svg, with: Array(page.plot(of: page.groups[0]).svg().utf8))
            }
        } else {
            throw Problem.notAFolder(folder)
        }
        if json { Console.print(json: ["report": path]) } else { Console.print("report: \(path)") }
    }
}
