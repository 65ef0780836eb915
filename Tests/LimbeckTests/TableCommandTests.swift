import Files
import Foundation
import Testing

/// Tables that `predict` and `evaluate` are given, read as the run read its own.
@Suite struct TableCommandTests {
    /// A table with these columns: an identifier, two features, the class, and what else is asked for.
    func table(_ columns: [String], by delimiter: String, header: [String]? = nil) -> String {
        let rows = (0..<60).map { i in
            columns.map { column in
                switch column {
                case "Id": "s\(i)"
                case "x": "\(Double(i % 3) * 4 + Double(i % 5) / 7)"
                case "y": "\(Double(i % 7) / 3)"
                case "kind": ["a", "b", "c"][i % 3]
                default: "?"
                }
            }
        }
        return ([header ?? columns] + rows).map { $0.joined(separator: delimiter) }
            .joined(separator: "\n") + "\n"
    }

    func trained(_ tool: Tool, noise: String = "") throws {
        try tool.write("t.csv", table(["Id", "x", "y", "kind"], by: ";"))
        try tool.write(
            "r.yaml",
            """
            data: {kind: csv, path: t.csv, delimiter: semicolon, drop: [Id]}
            model: {name: mlp, hidden: [8]}
            method: {name: cross-entropy}
            training: {epochs: 3, batch: 16}
            \(noise)
            """)
        let outcome = try tool.run(["train", "r.yaml", "--out", "run"] + TinyRuns.flags)
        try #require(outcome.status == 0, "\(outcome.err)")
        guard noise.isEmpty else { return }
        #expect(outcome.err.contains("realised unknown, as no clean label is known"))
        #expect(outcome.out.contains("Agreement with the given test labels"))
    }

    /// The columns of the output behind the number of the sample.
    func predictions(_ tool: Tool, _ arguments: [String]) throws -> [String] {
        let outcome = try tool.run(["predict", "run"] + arguments + ["--threads", "1"])
        try #require(outcome.status == 0, "\(arguments): \(outcome.err)")
        return outcome.out.split(separator: "\n").map(String.init)
    }

    @Test func predictsTablesAsTheRunReadThem() throws {
        let tool = try Tool()
        try trained(tool)
        let own = try predictions(tool, ["t.csv"])
        #expect(own[0] == "index,Id,predicted,class,confidence" && own[1].hasPrefix("0,s0,"))
        let bare = own.map { line in
            line.split(separator: ",").enumerated().filter { $0.offset != 1 }.map(\.element).joined(
                separator: ",")
        }
        try tool.write("comma.csv", "\u{feff}" + table(["y", "extra", "x"], by: ","))
        try tool.write("named.tsv", table(["kind", "y", "Id", "x"], by: "\t"))
        let headless = table(["x", "y"], by: ";").split(separator: "\n").dropFirst()
        try tool.write("bare.csv", headless.joined(separator: "\n"))
        #expect(try predictions(tool, ["comma.csv"]) == bare)
        #expect(try predictions(tool, ["named.tsv"]) == own)
        #expect(try predictions(tool, ["bare.csv", "--no-header"]) == bare)
        // The columns that are named stand where they are.
        let moved = table(["kind", "x", "y", "Id"], by: ";").split(separator: "\n").dropFirst()
        try tool.write("moved.csv", moved.joined(separator: "\n"))
        let places = ["moved.csv", "--no-header", "--label-column", "0", "--id-column=-1"]
        #expect(
            try predictions(tool, places).dropFirst().map { $0.split(separator: ",") }
                == own.dropFirst().map { $0.split(separator: ",") })
        let measured = try tool.run(
            ["evaluate", "run", "--table", "moved.csv", "--threads", "1", "--json"]
                + places.dropFirst()
        ).object()
        let known = try tool.run(
            ["evaluate", "run", "--table", "t.csv", "--threads", "1", "--json"]
        ).object()
        #expect(measured["nll"] as? Double == known["nll"] as? Double)
        #expect(known["nll"] as? Double != nil)
        let points = table(["y", "x"], by: ";").replacing(".", with: ",")
        try tool.write("commas.csv", points)
        let refused = try tool.run(["predict", "run", "commas.csv"])
        #expect(refused.status == 65 && refused.complaint.contains("give --decimal comma"))
        #expect(try predictions(tool, ["commas.csv", "--decimal", "comma"]) == bare)
        let evaluated = try tool.run(
            ["evaluate", "run", "--table", "t.csv", "--json", "--threads", "1"]).object()
        #expect(evaluated["samples"] as? Int == 60 && evaluated["labels"] as? String == "given")
    }

    /// What is known of the labels is said of every part.
    @Test func noiseOfTheLabelsIsSaid() throws {
        let tool = try Tool()
        try trained(tool, noise: "noise: {kind: symmetric, rate: 0.5}")
        func evaluated(_ part: String) throws -> String {
            try tool.run(["evaluate", "run", "--part", part, "--threads", "1"]).out
        }
        for part in ["train", "validation"] {
            let said = try #require(
                try evaluated(part).firstMatch(
                    of: /Labels are the given ones, and (\d+) of (\d+) are known to be wrong/))
            let (wrong, all) = (Int(said.output.1) ?? 0, Int(said.output.2) ?? 0)
            #expect(0 < wrong && wrong < all && all < 60, "\(part)")
        }
        #expect(try !evaluated("test").contains("Labels"))
        let plain = try Tool()
        try trained(plain)
        let unknown = try plain.run(["evaluate", "run", "--part", "train", "--threads", "1"])
        #expect(unknown.out.contains("nothing is known of their noise"))
    }

    @Test func optionsThatDoNotApplyAreRefused() throws {
        let tool = try Tool()
        try trained(tool)
        for (arguments, place) in [
            (["predict", "run", "t.csv", "--text-column", "x"], "--text-column"),
            (["predict", "run", "t.csv", "--no-quotes"], "--no-quotes"),
            (["predict", "run", "t.csv", "--label-column", "kind"], "--label-column"),
            (["evaluate", "run", "--table", "t.csv", "--id-column", "Id"], "--id-column"),
            (["evaluate", "run", "--no-header"], "--no-header"),
            (["evaluate", "run", "--labels", "y.idx"], "--labels"),
            (["evaluate", "run", "--table", "t.csv", "--part", "train"], "--part"),
        ] {
            let outcome = try tool.run(arguments)
            #expect(outcome.status == 64)
            #expect(
                outcome.complaint.hasPrefix("limbeck: \(place): the option does not apply here"))
        }
        let both = try tool.run(["evaluate", "run", "--table", "t.csv", "--recipe", "r.yaml"])
        #expect(both.status == 64 && both.complaint.contains("contradict each other"))
        let help = try tool.run(["predict", "--help"]).out
        for option in ["--images", "--labels ", "--recipe", "--table "] {
            #expect(!help.contains(option), "\(option)")
        }
    }
}
