import Foundation
import TestSupport
import Testing

/// `limbeck theory`: the documented JSON, refusals in one line, maps that continue.
@Suite(.serialized, .takesTurns) struct TheoryTests {
    private func stages(_ object: [String: Any]) throws -> [[String: Any]] {
        try #require(object["stages"] as? [[String: Any]])
    }

    private static let stageKeys: Set<String> = [
        "stage", "error", "m", "q", "bias", "lambda", "beta", "label_accuracy",
    ]

    @Test func solveSaysWhatTheTheorySays() throws {
        let tool = try Tool()
        let object = try tool.run([
            "theory", "solve", "--alpha", "3", "--delta", "0.5", "--theta", "0.3", "--lambda",
            "1,1",
            "--beta", "inf", "--json", "--out", "solved", "--svg", "solved.svg",
        ]).object()
        #expect(Set(object.keys).isSuperset(of: ["stages", "bayes_error", "noiseless_error"]))
        let list = try stages(object)
        #expect(list.map { $0["stage"] as? Int } == [0, 1])
        for stage in list { #expect(Set(stage.keys).isSuperset(of: Self.stageKeys)) }
        #expect(list[0]["beta"] is NSNull && list[1]["beta"] as? String == "inf")
        for (key, wanted) in [("error", 0.14490389), ("m", 0.57753615), ("q", 0.59534813)] {
            #expect(abs(try #require(list[1][key] as? Double) - wanted) < 1e-6)
        }
        #expect(abs(try #require(object["bayes_error"] as? Double) - 0.10072) < 6e-6)
        #expect(abs(try #require(object["noiseless_error"] as? Double) - 0.09522) < 6e-6)
        for file in ["solved/report.html", "solved/figure-1.svg", "solved.svg"] {
            #expect(FileManager.default.fileExists(atPath: tool(file)), "\(file)")
        }
        let kept = try String(contentsOfFile: tool("solved/result.json"), encoding: .utf8)
        #expect(kept.contains("\"bayes_error\":"))
    }

    @Test func biasAndSoftLabels() throws {
        let tool = try Tool()
        func error(_ arguments: String) throws -> Double {
            let outcome = try tool.run(
                ["theory", "solve", "--json", "--alpha", "3"]
                    + arguments.split(separator: " ").map(String.init))
            return try #require(try stages(outcome.object()).last?["error"] as? Double)
        }
        let imbalanced = "--rho 0.3 --theta 0.2 --lambda 1,1"
        #expect(abs(try error(imbalanced) - 0.28524061) < 1e-6)
        #expect(abs(try error("\(imbalanced) --bias carry") - 0.11733985) < 1e-6)
        #expect(abs(try error("--lambda 1,1 --beta 2 --bias fixed:0") - 0.14493149) < 1e-6)
        // Plain soft labels are those of β = 1; with the squared loss no β changes anything.
        #expect(try error("--lambda 1,1 --labels soft") == error("--lambda 1,1 --beta 1"))
        let squared = "--lambda 1,2 --loss squared"
        #expect(abs(try error(squared) - error("\(squared) --beta 3")) < 1e-9)
    }

    @Test func optimize() throws {
        let tool = try Tool()
        let object = try tool.run([
            "theory", "optimize", "--loss", "squared", "--stages", "2", "--lambda-range",
            "1e-3,300",
            "--json",
        ]).object()
        let list = try stages(object)
        for (stage, wanted) in zip(list, [0.16167, 0.11350, 0.10559]) {
            #expect(abs(try #require(stage["error"] as? Double) - wanted) < 1e-4)
            #expect(Set(stage.keys).isSuperset(of: Self.stageKeys.union(["lambdas", "added"])))
        }
        #expect(
            list[2]["lambdas"] as? [Double] != nil
                && list[0]["at_bounds"] as? [String] == ["lambda"])
    }

    @Test func curveAndCheck() throws {
        let tool = try Tool()
        let curve = try tool.run([
            "theory", "curve", "--loss", "both", "--values", "1,3", "--lambda", "1,1", "--simulate",
            "20", "--trials", "3", "--simulate-at", "3", "--json", "--out", "c",
        ]).object()
        let points = try #require(curve["points"] as? [[String: Any]])
        #expect(points.map { $0["x"] as? Double } == [1, 3, 1, 3])
        #expect(
            points.map { $0["loss"] as? String } == [
                "squared", "squared", "cross-entropy", "cross-entropy",
            ])
        #expect(points.map { $0["simulation"] != nil } == [false, true, false, true])
        #expect(abs(try #require(stages(points[3])[1]["error"] as? Double) - 0.14490389) < 1e-6)
        let overStages = try tool.run([
            "theory", "curve", "--over", "stage", "--stages", "2", "--lambda", "0.2", "--alpha",
            "2",
            "--loss", "squared", "--bias", "fixed:0", "--json",
        ]).object()
        #expect(abs(try #require(stages(overStages)[2]["error"] as? Double) - 0.24641284) < 1e-7)

        let passed = try tool.run([
            "theory", "check", "--alpha", "1", "--theta", "0.2", "--lambda", "10,10", "--bias",
            "fixed:0", "--simulate", "150", "--trials", "12", "--json",
        ])
        #expect(passed.status == 0, "\(passed.err)")
        #expect(try passed.object()["passed"] as? Bool == true)
        // Ten dimensions are not many.
        let failed = try tool.run([
            "theory", "check", "--lambda", "0.01,0.01", "--simulate", "10", "--trials", "30",
            "--json",
        ])
        #expect(
            failed.status == 65
                && failed.complaint.hasPrefix("limbeck: theory and simulation disagree"))
        #expect(try failed.object()["passed"] as? Bool == false)
    }

    /// Hard labels of a bias that runs away are all of one class, and the third stage has no solution: no
    /// command ends well with its numbers, and each says which stage it was.
    @Test func whatWasNotSolvedIsNoResult() throws {
        let tool = try Tool()
        let setting = "--alpha 3 --delta 0.5 --rho 0.35 --lambda 4,2,2 --samples 7 --json"
            .split(separator: " ").map(String.init)
        let line = "limbeck: stage 2: the equations were not solved: found residual "
        let hint =
            " (a learnt bias runs away where labels are of one class: carry or fix it, or change lambda)"
        func expectGap(_ list: [[String: Any]]) {
            #expect(list.map { $0["converged"] as? Bool } == [true, true, false])
            for key in ["error", "m", "q", "bias", "label_accuracy"] {
                #expect(list[1][key] is Double && list[2][key] is NSNull, "\(key)")
            }
            #expect(list[2]["lambda"] as? Double == 2 && list[2]["beta"] as? String == "inf")
        }
        for command in [["solve"], ["check", "--simulate", "30"]] {
            let outcome = try tool.run(["theory"] + command + setting + ["--theta", "0.25"])
            #expect(outcome.status == 65)
            #expect(outcome.complaint.hasPrefix(line) && outcome.complaint.hasSuffix(hint))
            #expect(outcome.err.split(separator: "\n").count == 1)
            expectGap(try stages(outcome.object()))
        }
        let curve = try tool.run(
            ["theory", "curve", "--over", "theta", "--values", "0.1,0.25", "--out", "c"] + setting)
        #expect(curve.status == 65)
        #expect(
            curve.complaint
                == "limbeck: the equations were not solved everywhere: found 2 of 2 points without a solution: theta 0.1 stage 2, theta 0.25 stage 2\(hint)"
        )
        for point in try #require(try curve.object()["points"] as? [[String: Any]]) {
            expectGap(try stages(point))
        }
        #expect(FileManager.default.fileExists(atPath: tool("c/report.html")))
        // A curve with the bias carried has every stage.
        let carried = try tool.run(
            ["theory", "curve", "--over", "theta", "--values", "0.1,0.25", "--bias", "carry"]
                + setting)
        #expect(carried.status == 0 && carried.err.isEmpty)
    }

    /// Gains that were measured stand beside the theory's, those of this noise rate alone.
    @Test func measuredGainsBesideTheTheorys() throws {
        let tool = try Tool()
        try tool.write(
            "m.json",
            #"{"cells":[{"alpha":1,"theta":0.4,"gains":{"1-SD hard":{"mean":0.02,"standard_error":0.001}}},{"alpha":2,"theta":0,"gains":{}}]}"#
        )
        let command = ["theory", "curve", "--values", "1,3", "--lambda", "10,10", "--gain"]
        let drawn = try tool.run(
            command + ["--theta", "0.4", "--measured", "m.json", "--svg", "gain.svg"])
        #expect(drawn.status == 0, "\(drawn.err)")
        let picture = try String(contentsOfFile: tool("gain.svg"), encoding: .utf8)
        #expect(picture.contains("1-SD, theory") && picture.contains("1-SD, measured"))
        try tool.write("other.json", "{}")
        for (more, status, complaint) in [
            (
                ["--theta", "0.3", "--measured", "m.json"], 65,
                "limbeck: m.json, cells: no gains were measured at this noise rate: found theta 0, 0.4, expected theta 0.3"
            ),
            (
                ["--measured", "other.json"], 65,
                "limbeck: other.json: not the JSON of limbeck selfdistil (give the JSON that selfdistil prints, or the result.json in its folder)"
            ),
            (
                ["--simulate", "10"], 64,
                "limbeck: --gain and --simulate contradict each other (simulated errors are not paired)"
            ),
        ] as [([String], Int32, String)] {
            let refused = try tool.run(command + more)
            #expect(refused.status == status && refused.complaint == complaint)
            #expect(refused.out.isEmpty)
        }
        let alone = try tool.run(["theory", "curve", "--measured", "m.json"])
        #expect(alone.status == 64 && alone.out.isEmpty)
    }

    /// Interrupted anywhere, a map ends in the same bytes.
    @Test func phaseContinues() throws {
        let tool = try Tool()
        func phase(_ out: String, _ more: [String] = []) -> [String] {
            [
                "theory", "phase", "--grid", "4x3", "--loss", "squared", "--alpha-range", "0.5,4",
                "--theta-range", "0.1,0.4", "--threads", "2", "--json", "--out", out,
            ] + more
        }
        let whole = try tool.run(phase("whole"))
        #expect(whole.status == 0, "\(whole.err)")
        let points = try #require(try whole.object()["points"] as? [[String: Any]])
        #expect(points.count == 12)
        let first = try #require(points[0]["errors"] as? [Double])
        #expect(abs(try #require(points[0]["gain"] as? Double) - (first[0] - first[1])) < 1e-15)

        // Cut back to four points, as after an interruption.
        let bytes = try Data(contentsOf: URL(fileURLWithPath: tool("whole/points.json")))
        var map = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        map["errors"] = Array(try #require(map["errors"] as? [Any]).prefix(4))
        try FileManager.default.createDirectory(
            atPath: tool("cut"), withIntermediateDirectories: true)
        try JSONSerialization.data(withJSONObject: map).write(
            to: URL(fileURLWithPath: tool("cut/points.json")))
        let rest = try tool.run(phase("cut"))
        #expect(rest.err.contains("continuing with 4 of 12 points"))
        #expect(rest.out == whole.out)
        #expect(try tool.differences(tool("whole"), tool("cut")) == [])

        let other = try tool.run(phase("whole", ["--rho", "0.4"]))
        #expect(other.status == 64)
        #expect(
            other.complaint
                == "limbeck: whole/points.json: this map was begun with other settings (give another --out, or the settings it was begun with)"
        )
        try tool.write("cut/points.json", "{\"errors\": [[1]]}")
        let damaged = try tool.run(phase("cut"))
        #expect(damaged.status == 65)
        #expect(
            damaged.complaint
                == "limbeck: cut/points.json: not a map's points (remove it to begin anew, or give another --out)"
        )
    }

    @Test func phaseStopsOnInterrupt() throws {
        let tool = try Tool()
        let command = [
            "theory", "phase", "--grid", "12x12", "--out", "map", "--threads", "1", "--json",
        ]
        let stopped = try tool.run(command) { process, _ in
            if FileManager.default.fileExists(atPath: tool("map/points.json")) {
                process.interrupt()
            }
        }
        // A second signal ends it at once, which is as good.
        #expect(stopped.status == 130 && stopped.out == "")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: tool("map/points.json")))
        let map = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        #expect((try #require(map["errors"] as? [Any])).count % 4 == 0)
    }

    @Test func refusals() throws {
        let tool = try Tool()
        let mistakes: [(String, String)] = [
            (
                "solve --alpha 0",
                "alpha: wrong value: found 0.0, expected a number from 1e-6 to 1e6"
            ),
            (
                "solve --lambda 1,,2",
                #"--lambda: wrong value: found "1,,2", expected numbers, separated by commas"#
            ),
            (
                "solve --lambda 1,-1",
                "lambda: wrong value: found -1.0, expected numbers from 1e-12 to 1e15"
            ),
            (
                "solve --lambda 1,1 --beta 1,2",
                "beta: wrong count: found 2, expected 1, one fewer than lambda"
            ),
            (
                "solve --loss hinge",
                #"--loss: unknown word "hinge" (one of: cross-entropy, squared)"#
            ),
            (
                "solve --bias fixed:x",
                #"--bias: wrong value: found "fixed:x", expected learn, carry, or fixed: and a number"#
            ),
            (
                "solve --beta 2 --labels hard",
                "--beta and --labels contradict each other (hard labels are those of beta inf)"
            ),
            ("optimize --stages 64", #"--stages: wrong value: found "64", expected 0 to 63"#),
            (
                "optimize --lambda-range 2,1",
                #"--lambda-range: wrong value: found "2,1", expected two rising numbers from 1e-09 to 1000000000.0"#
            ),
            (
                "curve --over rho",
                #"--over: unknown word "rho" (one of: alpha, theta, stage)"#
            ),
            (
                "curve --optimize --simulate 10",
                "--optimize and --simulate contradict each other (simulate at given λ)"
            ),
            (
                "phase --grid 3",
                #"--grid: wrong value: found "3", expected two numbers from 2 to 100 with an x between"#
            ),
            ("check --simulate 1", "N: wrong value: found 1, expected 2 to 8192"),
            ("check --trials 1", #"--trials: wrong value: found "1", expected at least 2"#),
        ]
        for (words, complaint) in mistakes {
            let outcome = try tool.run(["theory"] + words.split(separator: " ").map(String.init))
            #expect(outcome.complaint == "limbeck: \(complaint)", "\(words)")
            #expect(outcome.status == 64 && outcome.out == "", "\(words)")
        }
    }
}
